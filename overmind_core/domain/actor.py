"""Who asked for what is recorded: the words that stand for it in events, messages and answers."""

from __future__ import annotations

import re

PERSON = "person"
"""Whoever asks from outside of every mission and is not named by the client."""
ENGINE = "engine"
"""In the place of who asked for what happened by itself."""
CLIENT = r"^[a-z]{1,16}:[a-z0-9-]{1,32}$(?!\n)"
"""A client that acts for a person whom it knows by a name, such as `web:phone`: what kind of client, and the name. No
id of a mission has a colon, and a rule that answers begins with a word and a blank."""
_client = re.compile(CLIENT)


def is_person(by: object) -> bool:
    """Whether it stands for a person, with or without a name."""
    return by == PERSON or (isinstance(by, str) and _client.search(by) is not None)
