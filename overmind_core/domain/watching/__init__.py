"""Missions that run, watched: their signs of life, whether they lose their way, and what attempts cost and teach."""
