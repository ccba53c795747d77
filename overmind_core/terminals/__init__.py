"""Terminals of missions, attached to."""
