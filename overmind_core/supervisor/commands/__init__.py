"""What each command of the API does: one file per group, one row per command in `table`."""
