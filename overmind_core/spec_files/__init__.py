"""The files of specs: their documents in a repository, and the files that those speak of."""
