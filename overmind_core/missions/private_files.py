"""Texts that are too long for an argument: private files of a mission, which its program is pointed at."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from overmind_core.domain.text.bytestrings import from_wire, to_wire

if TYPE_CHECKING:
    from overmind_core.providers.base import Launch
    from overmind_core.system.paths import Home

_PLACE = re.compile(r"\{file:([a-z_]+)\}")


def private_folder(home: Home, mission_id: str) -> str:
    """Where they lie."""
    return os.path.join(home.root, "files", mission_id)


def filled(home: Home, mission_id: str, launch: Launch) -> tuple[str, ...]:
    """The program's arguments, with the path of each file in its place; the files are written.

    Raises:
        OSError: a file can't be written.
    """
    if not launch.files:
        return launch.argv
    where = private_folder(home, mission_id)
    os.makedirs(where, mode=0o700, exist_ok=True)
    for name, text in launch.files.items():
        fd = os.open(os.path.join(where, name), os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "wb") as file:
            file.write(os.fsencode(from_wire(text)))
    return tuple(_PLACE.sub(lambda match: to_wire(os.path.join(where, match[1])), word) for word in launch.argv)
