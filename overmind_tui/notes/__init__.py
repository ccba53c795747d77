"""Notes: their view, their page, and the panel of the notes of a mission."""
