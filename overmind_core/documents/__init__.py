"""Text files with places: TOML and YAML whose mistakes name line and column."""
