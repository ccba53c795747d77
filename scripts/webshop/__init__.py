"""The demonstration of isolation: examples/webshop in a copy, told as a story."""
