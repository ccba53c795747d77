"""What belongs to a mission alone, as the command line asks for it and shows it."""
