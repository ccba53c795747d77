"""Completion of a typed folder. It looks at the disk: for a thread."""

from __future__ import annotations

import os
from typing import NamedTuple

SHOWN = 12
"""Names that are offered."""


class Completion(NamedTuple):
    """What completes a text, and the names that it could become."""

    ghost: str
    candidates: tuple[str, ...]


NONE = Completion("", ())


def absolute(text: str, base: str) -> str:
    """The folder that a text means: `~` is the home, and a relative one counts from `base`."""
    return os.path.join(base, os.path.expanduser(text or "."))


def completion(text: str, base: str) -> Completion:
    """What completes the last part of a path to folders that are there."""
    above, begun = os.path.split(absolute(text, base)) if text else (base, "")
    if text == "~":
        return Completion("/", ())
    try:
        with os.scandir(above) as entries:
            names = sorted(entry.name for entry in entries if entry.name.startswith(begun) and entry.is_dir())
    except (OSError, ValueError):
        return NONE
    names = [name for name in names if begun.startswith(".") or not name.startswith(".")]
    if not names or not text:
        return NONE
    ghost = names[0] + "/" if len(names) == 1 else os.path.commonprefix(names)  # noqa: RUF071 - characters are meant
    return Completion(ghost[len(begun) :], tuple(names[:SHOWN]))
