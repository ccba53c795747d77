"""How an agent's program is started and what its lines mean. Pure: one file per program, one row in the registry."""
