"""Memory: the store of notes, requests about them, and the notes for agents."""
