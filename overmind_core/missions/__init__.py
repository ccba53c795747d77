"""Missions: the base feature, supervised processes and what is kept of them."""
