"""What keys do to missions, by topic."""
