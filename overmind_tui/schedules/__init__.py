"""The pages of quests and rituals."""
