"""Missions: their life, names, tree and restarts. Pure."""
