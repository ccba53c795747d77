"""Memory: notes that people and agents leave for the next one, their versions and votes. Pure."""
