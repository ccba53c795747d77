"""Definitions of missions, edited while they live."""
