"""Private files of a mission, which its program is pointed at: texts that are no argument, and its notes."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from overmind_core.domain.text.bytestrings import from_wire, to_wire

if TYPE_CHECKING:
    from overmind_core.providers.base import Launch
    from overmind_core.system.paths import Home

FOLDER = "files"
"""The folder in the home with a folder for each mission."""
INPUTS = "in"
"""The folder, among these files, that an attempt of a quest reads."""
NOTES = "notes.md"
STATES = "states"
"""The folder with what git keeps for us of the states of a shared folder, as attempts of a quest began."""


def private_folder(home: Home, mission_id: str) -> str:
    """Where they lie."""
    return f"{home.root}/{FOLDER}/{mission_id}"


def private_missions(home: Home) -> list[str]:
    """The ids of those that have some."""
    try:
        return [one for one in os.listdir(f"{home.root}/{FOLDER}") if not one.startswith(".")]
    except FileNotFoundError:
        return []


def filled(home: Home, mission_id: str, launch: Launch) -> Launch:
    """The same with the path of each file in its place, in arguments and variables; the files are written.

    Raises:
        OSError: a file can't be written.
    """
    if not launch.files:
        return launch
    where = private_folder(home, mission_id)
    os.makedirs(where, mode=0o700, exist_ok=True)
    paths: dict[str, str] = {}
    for name, text in launch.files.items():
        path = os.path.join(where, name)
        if folder := os.path.dirname(name):
            os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
            paths[f"{{file:{folder}}}"] = to_wire(os.path.dirname(path))
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "wb") as file:
            file.write(os.fsencode(from_wire(text)))
        paths[f"{{file:{name}}}"] = to_wire(path)
    variables = {name: paths.get(value, value) for name, value in launch.environment.items()}
    return launch._replace(argv=tuple(paths.get(word, word) for word in launch.argv), environment=variables)


def put_notes(home: Home, mission_id: str, text: str | None) -> str | None:
    """Write what the mission's newest run is given of the notes, and nothing of an earlier one; its path.

    Raises:
        OSError: it can't be written.
    """
    path = _notes_path(home, mission_id)
    with suppress(FileNotFoundError, NotADirectoryError):
        os.unlink(path)
    if text is None:
        return None
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(text.encode("utf-8", "replace"))
    return path


def written_notes(home: Home, mission_id: str) -> str | None:
    """What `put_notes` has written; None: nothing."""
    try:
        with open(_notes_path(home, mission_id), encoding="utf-8", errors="replace", newline="") as file:
            return file.read()
    except OSError:
        return None


def _notes_path(home: Home, mission_id: str) -> str:
    private = private_folder(home, mission_id)
    inputs = f"{private}/{INPUTS}"
    return f"{inputs if os.path.isdir(inputs) and not os.path.islink(inputs) else private}/{NOTES}"
