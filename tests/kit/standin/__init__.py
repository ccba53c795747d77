"""A program that behaves as `claude` does, without a model and without a network."""
