"""The gate: this home's API, its logs and its terminals, over standard input and output. No asyncio here."""
