"""Commands about missions."""
