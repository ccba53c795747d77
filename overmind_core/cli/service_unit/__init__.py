"""The daemon as a service of the machine's own supervisor."""
