"""The swarm that this home is in, or has made: how it stands, and its views. Imported only where there is one."""
