"""Blueprints as people write them: TOML read into a plan, or everything that is wrong with it, each at its place."""
