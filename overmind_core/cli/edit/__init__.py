"""What a mission is, as a text that a person edits."""
