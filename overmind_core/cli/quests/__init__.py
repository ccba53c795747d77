"""Commands about quests: those that begin at once, those of the queue, and the board."""
