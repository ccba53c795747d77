"""Commands that begin missions and edit their definitions."""
