"""What every feature of the daemon stands on, and which knows no feature."""
