"""Plans of dependent agents: blueprint, scheduling, progress. Pure."""
