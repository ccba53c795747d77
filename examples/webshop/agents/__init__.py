"""Agents of the demonstration: scripts that do what a language model would, without one."""
