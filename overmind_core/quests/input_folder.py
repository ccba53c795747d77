"""The two folders of an attempt: the one that it reads and the one that it writes, beside its mission's private files.

Both are new for each attempt, whatever the one before has left there, and go with the mission. No link is followed on
the way to them or in them. All of it blocks: for a worker thread.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.missions.output_files import FolderFiles, read_beginnings, read_data
from overmind_core.missions.private_files import INPUTS, private_folder
from overmind_core.system.remove_tree import remove_tree

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from overmind_core.system.paths import Home

OUTPUTS = "out"
BROUGHT = "brought"
"""What came from other machines: what is handed on by quests of other hives, and of a spec its documents."""
_PARTS = 3
"""Of the longest path there: `needs`, the need, and a file."""
_NEW, _OLD = "new.", "old."
"""How names begin that are not yet, or no more, what follows."""
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_OLD_FILE = os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW_FILE = _OLD_FILE | os.O_CREAT | os.O_EXCL
PLAIN = ("brief.md",)
"""Files that nearly every attempt reads: they are in a spare folder, and empty."""
SpareFolder = str
"""Path of a folder that `make_spare` has made."""


class AttemptFolders(NamedTuple):
    """Absolute paths as the file system has them; the same for every attempt of a quest."""

    inputs: str
    outputs: str


def attempt_folders(home: Home, mission_id: str) -> AttemptFolders:
    """Where they are; nothing is looked at."""
    return _both(private_folder(home, mission_id))


def _both(private: str) -> AttemptFolders:
    return AttemptFolders(f"{private}/{INPUTS}", f"{private}/{OUTPUTS}")


def prepare(
    home: Home, mission_id: str, files: Mapping[str, bytes], *, spare: SpareFolder | None = None
) -> AttemptFolders:
    """Make both anew, one with these files by their relative path, the other one empty.

    The folders of the attempt before stay as they are until all is written. After a kill -9 it may be called again.

    Args:
        home: Where all of it is.
        mission_id: Whose folders they are.
        files: What the attempt is to read.
        spare: Made before, for whoever needs it first; gone afterwards.

    Raises:
        OSError: they can't be made.
    """
    private = private_folder(home, mission_id)
    if spare is not None and _taken(spare, private):
        _complete(private, files)
        return _both(private)
    is_first = _made(private)
    where = os.open(private, _FOLDER)
    try:
        if is_first:  # nobody looks before the attempt begins; after a kill -9 it is no first one
            _fill(where, "", files)
            return _both(private)
        for name in (INPUTS, OUTPUTS):
            remove_tree(f"{_NEW}{name}", folder=where)
            remove_tree(f"{_OLD}{name}", folder=where)
        _fill(where, _NEW, files)
        for name in (INPUTS, OUTPUTS):
            _replace(where, name)
    finally:
        os.close(where)
    return _both(private)


def _made(private: str) -> bool:
    """Have the folder be there; whether it was not."""
    try:
        os.mkdir(private, 0o700)
    except FileExistsError:
        return False
    except FileNotFoundError:
        os.makedirs(private, 0o700)
    return True


def make_spare(path: str) -> None:
    """Make a folder for `prepare` that has everything which takes long to make, and nothing of any attempt.

    Raises:
        OSError: it can't be made.
    """
    for folder in (path, f"{path}/{INPUTS}", f"{path}/{OUTPUTS}"):
        os.mkdir(folder, 0o700)
    for name in PLAIN:
        os.close(os.open(f"{path}/{INPUTS}/{name}", _NEW_FILE, 0o600))


def _taken(spare: SpareFolder, private: str) -> bool:
    """Have a spare folder be the private one; False when that is there already, or the spare one is not."""
    try:
        os.rename(spare, private)
    except OSError:
        with contextlib.suppress(OSError):
            remove_tree(spare)
        return False
    return True


def _complete(private: str, files: Mapping[str, bytes]) -> None:
    """Write the files into what was a spare folder just now: nobody has put a link into it."""
    inputs = f"{private}/{INPUTS}"
    for name in PLAIN:
        if name in files:
            _write_into(os.open(f"{inputs}/{name}", _OLD_FILE), files[name])
        else:
            os.unlink(f"{inputs}/{name}")
    others = [path for path in files if path not in PLAIN]
    if others:
        inside = os.open(inputs, _FOLDER)
        try:
            for path in others:
                _write(inside, path.split("/"), files[path])
        finally:
            os.close(inside)


def _fill(where: int, prefix: str, files: Mapping[str, bytes]) -> None:
    """Make both folders, whose names begin with this, and write the files."""
    for name in (INPUTS, OUTPUTS):
        os.mkdir(f"{prefix}{name}", 0o700, dir_fd=where)
    inside = os.open(f"{prefix}{INPUTS}", _FOLDER, dir_fd=where)
    try:
        for path, data in files.items():
            _write(inside, path.split("/"), data)
    finally:
        os.close(inside)


def bring(home: Home, mission_id: str, files: Mapping[str, bytes]) -> None:
    """Keep what came from other machines, for all attempts: by its path in the folder that they read.

    Paths that are none of a few plain names are left out.

    Raises:
        OSError: it can't be written.
    """
    if not files:
        return
    private = private_folder(home, mission_id)
    _made(private)
    where = os.open(private, _FOLDER)
    try:
        remove_tree(BROUGHT, folder=where)
        os.mkdir(BROUGHT, 0o700, dir_fd=where)
        inside = os.open(BROUGHT, _FOLDER, dir_fd=where)
        try:
            for path, data in files.items():
                parts = path.split("/")
                if len(parts) <= _PARTS and not any(part in {"", ".", ".."} or "\0" in part for part in parts):
                    _write(inside, parts, data)
        finally:
            os.close(inside)
    finally:
        os.close(where)


def brought(home: Home, mission_id: str) -> dict[str, bytes]:
    """Return what `bring` has kept, by path."""
    found: dict[str, bytes] = {}
    top = f"{private_folder(home, mission_id)}/{BROUGHT}"
    for folder, _, names in os.walk(top):
        for name in sorted(names):
            with open(f"{folder}/{name}", "rb") as file:
                found[os.path.relpath(f"{folder}/{name}", top)] = file.read()
    return dict(sorted(found.items()))


def handed_in(home: Home, mission_id: str, names: Iterable[str], *, largest: int) -> FolderFiles:
    """These files of the folder that an attempt wrote to, none that is larger than `largest` bytes."""
    return read_data(attempt_folders(home, mission_id).outputs, names, largest=largest)


def beginnings_handed_in(home: Home, mission_id: str, names: Iterable[str], *, most: int) -> dict[str, bytes]:
    """The same of which the first `most` bytes will do; those that are not there are left out."""
    return read_beginnings(attempt_folders(home, mission_id).outputs, names, most=most)


def _write(folder: int, path: list[str], data: bytes) -> None:
    """Write a file below a folder that is ours alone; the folders on the way are made."""
    *folders, name = path
    opened: list[int] = []
    try:
        for one in folders:
            with contextlib.suppress(FileExistsError):
                os.mkdir(one, 0o700, dir_fd=folder)
            folder = os.open(one, _FOLDER, dir_fd=folder)
            opened.append(folder)
        _write_into(os.open(name, _NEW_FILE, 0o600, dir_fd=folder), data)
    finally:
        for one_opened in opened:
            os.close(one_opened)


def _write_into(file: int, data: bytes) -> None:
    """Write all of it to an open file, and close that."""
    try:
        left = memoryview(data)
        while left:
            left = left[os.write(file, left) :]
    finally:
        os.close(file)


def _replace(where: int, name: str) -> None:
    """Put the new folder in the place of whatever has the name."""
    with contextlib.suppress(FileNotFoundError):
        os.rename(name, f"{_OLD}{name}", src_dir_fd=where, dst_dir_fd=where)
    os.rename(f"{_NEW}{name}", name, src_dir_fd=where, dst_dir_fd=where)
    with contextlib.suppress(OSError):  # somebody is still writing there: it goes with the next attempt
        remove_tree(f"{_OLD}{name}", folder=where)
