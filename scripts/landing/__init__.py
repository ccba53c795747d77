"""A landing: the targets that CI runs, in their order, and what a failure of them means."""
