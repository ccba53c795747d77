"""The daemon's name of earlier versions, by which a keeper of theirs starts it."""
