"""The web dashboard: a client of the daemon that serves browsers."""
