"""The hives that config.toml names: connections, requests, their list. Imported only where there are any."""
