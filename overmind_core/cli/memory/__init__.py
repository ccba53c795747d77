"""Commands about notes: writing, finding and judging them, memory as a whole, and files of notes."""
