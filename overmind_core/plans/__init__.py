"""Plans: runs of blueprints."""
