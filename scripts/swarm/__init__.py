"""The demonstration of swarms: five homes and a database, of which some die, and a comparison of the end."""
