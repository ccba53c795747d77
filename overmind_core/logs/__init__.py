"""The log of a run: raw bytes, a time index, and how both are read and shown."""
