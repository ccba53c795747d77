"""What git does for a mission: worktrees, changes, merges. Blocking calls, meant for a thread."""
