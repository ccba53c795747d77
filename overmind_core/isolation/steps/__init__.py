"""The steps of a preparation, one file for each kind."""
