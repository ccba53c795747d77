"""Learning: how quests went, and the lessons that they taught."""
