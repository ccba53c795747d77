"""The file format of a project's isolation, `.overmind.yml`."""
