"""Text and numbers that mean something: cells, times, addresses, file patterns, graphs as text."""
