"""What SQLite remembers: missions, runs and events."""
