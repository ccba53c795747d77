"""A blueprint's file as the command line meets it."""
