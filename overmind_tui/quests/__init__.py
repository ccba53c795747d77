"""The page of quests, what its keys do, and what is known of one."""
