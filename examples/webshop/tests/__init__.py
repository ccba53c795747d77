"""`python3 -m unittest` runs them; they need no database."""
