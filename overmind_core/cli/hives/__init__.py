"""The command line over several hives: -H, what is merged of them, and the hives themselves."""
