"""One command, one file, one declarative entry."""
