"""What `make house` prints: the shape of the source in figures."""
