"""What is drawn: each widget draws lines from plain data and decides nothing."""
