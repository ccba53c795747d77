"""The server that browsers talk to: addresses, logins, limits, static files."""
