"""The file format of blueprints."""
