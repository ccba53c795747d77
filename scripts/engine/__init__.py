"""The demonstration of specs, unattended: played, told with times, and compared with what must have happened."""
