"""The swarm: what hives agree on, in one PostgreSQL database."""
