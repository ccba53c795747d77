"""What belongs to one mission alone: its worktree, its ports, its services. Pure."""
