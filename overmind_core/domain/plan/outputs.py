"""What an agent may hand on beside its result: under which names, and how much."""

from __future__ import annotations

import re

FOLDER = "OVERMIND_OUTPUT_DIR"
"""The variable that tells an agent where to put it: into a file for each, called as the output is."""
RESERVED = frozenset({"result", "output", "exit_code"})
"""What every agent hands on anyway."""
LARGEST = 64 * 1024
"""Bytes of one value: it has to fit into a variable of the environment."""
LONGEST_NAME = 63
"""Characters."""


def name_problem(name: str) -> str | None:
    """Return what is wrong with the name of an output, as a sentence without its full stop; None when nothing is."""
    if re.fullmatch("[A-Za-z0-9_][A-Za-z0-9_-]*", name) is None:
        return f"{name!r} is no name of an output: it has only ASCII letters, digits, '_' and '-', and no '-' first"
    if len(name) > LONGEST_NAME:
        return f"The name of an output has at most {LONGEST_NAME} characters"
    if name in RESERVED:
        return f"An output can't be called {name!r}: every agent has a {name!r} of its own"
    return None
