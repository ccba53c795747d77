"""Isolation: a worktree, ports, containers and services for each mission."""
