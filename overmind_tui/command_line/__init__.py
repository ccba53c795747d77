"""The `:` line: commands, jobs, completion."""
