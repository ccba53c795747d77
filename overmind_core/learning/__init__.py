"""Learning: what attempts of quests came to and cost, the lessons of those that failed first, and how quests went."""
