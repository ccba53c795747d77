"""One client for every way to talk to the daemon."""
