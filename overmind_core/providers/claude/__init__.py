"""Claude Code: how it is started, what its lines, hooks and screens mean."""
