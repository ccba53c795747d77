"""What is said on sockets and written to files: pure, standard library only."""
