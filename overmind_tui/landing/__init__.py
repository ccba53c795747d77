"""The pages of worktrees and landing."""
