"""What `.overmind.yml` says: reading it, what is wrong with it and where, and writing a first one. No process is run."""
