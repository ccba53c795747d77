"""Memory: the store of notes, what answers requests about them, and what an agent is given of them."""
