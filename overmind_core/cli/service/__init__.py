"""The daemon as a service of the machine: what systemd and launchd read, where it lies, who is told."""
