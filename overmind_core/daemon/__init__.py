"""The daemon: the composition root and its process."""
