"""Real missions that show everything, for people who have no agent yet: their programs, their folder, their list."""
