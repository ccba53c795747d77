"""What is typed after a colon: read, run, remembered."""
