"""Texts that are too long for an argument: private files of a mission, which its program is pointed at."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from overmind_core.domain.text.bytestrings import from_wire, to_wire

if TYPE_CHECKING:
    from overmind_core.providers.base import Launch
    from overmind_core.system.paths import Home


def private_folder(home: Home, mission_id: str) -> str:
    """Where they lie."""
    return f"{home.root}/files/{mission_id}"


def filled(home: Home, mission_id: str, launch: Launch) -> tuple[str, ...]:
    """The program's arguments, with the path of each file in its place; the files are written.

    Raises:
        OSError: a file can't be written.
    """
    if not launch.files:
        return launch.argv
    where = private_folder(home, mission_id)
    os.makedirs(where, mode=0o700, exist_ok=True)
    paths: dict[str, str] = {}
    for name, text in launch.files.items():
        path = os.path.join(where, name)
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "wb") as file:
            file.write(os.fsencode(from_wire(text)))
        paths[f"{{file:{name}}}"] = to_wire(path)
    return tuple(paths.get(word, word) for word in launch.argv)
