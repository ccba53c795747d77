"""The missions: table, panels, actions."""
