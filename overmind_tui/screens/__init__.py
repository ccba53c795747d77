"""One screen, its keys and its messages per file."""
