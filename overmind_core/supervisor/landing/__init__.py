"""Reviewing and landing the work of missions: what is asked of git, in which order, and what is written down of it."""
