"""The command line of a swarm: becoming a part of it, posting to it, and what it holds."""
