"""What `.overmind.yml` says: read, with what is wrong in it and where, and a first one written. Runs no process."""
