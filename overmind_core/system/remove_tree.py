"""Removing a folder with all that is in it, however deep, and whatever its owner has shut. No link is followed.

A folder below is first moved to the top, then emptied: neither the depth of what a program has made, nor the length of
its path, nor a folder without permissions is in the way.
"""

from __future__ import annotations

import contextlib
import os
import stat
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_OPEN = 0o700


def remove_tree(path: str, *, folder: int | None = None) -> None:
    """Remove whatever has this path, if anything; as much of it as can be.

    Args:
        path: Of the folder, or of anything else.
        folder: Descriptor of the folder that `path` is relative to; None: the working folder.

    Raises:
        OSError: something is still there; the first reason.
    """
    try:
        if not stat.S_ISDIR(os.lstat(path, dir_fd=folder).st_mode):
            os.unlink(path, dir_fd=folder)
            return
        os.chmod(path, _OPEN, dir_fd=folder)
        top = os.open(path, _FOLDER, dir_fd=folder)
    except FileNotFoundError:
        return
    try:
        errors = list(_emptied(top))
    finally:
        os.close(top)
    if errors:
        raise errors[0]
    os.rmdir(path, dir_fd=folder)


def _emptied(top: int) -> Iterator[OSError]:
    """Remove what is in a folder; yields why something stays."""
    free = count()
    folders: list[str] = []
    yield from _taken_out(top, top, folders, free)
    while folders:
        name = folders.pop()
        try:
            inside = os.open(name, _FOLDER, dir_fd=top)
        except OSError as error:
            yield error
            continue
        try:
            yield from _taken_out(inside, top, folders, free)
        finally:
            os.close(inside)
        with contextlib.suppress(FileNotFoundError):
            try:
                os.rmdir(name, dir_fd=top)
            except OSError as error:
                yield error


def _taken_out(folder: int, top: int, found: list[str], free: Iterator[int]) -> Iterator[OSError]:
    """Remove the files of a folder, and move its folders to the top, under new names which are added to `found`."""
    for name in os.listdir(folder):
        try:
            if stat.S_ISDIR(os.lstat(name, dir_fd=folder).st_mode):
                os.chmod(name, _OPEN, dir_fd=folder)
                found.append(_moved(name, folder, top, free))
            else:
                os.unlink(name, dir_fd=folder)
        except FileNotFoundError:
            continue
        except OSError as error:
            yield error


def _moved(name: str, folder: int, top: int, free: Iterator[int]) -> str:
    for number in free:
        new = f".removed-{number}"
        try:
            os.lstat(new, dir_fd=top)
        except FileNotFoundError:
            os.rename(name, new, src_dir_fd=folder, dst_dir_fd=top)
            return new
    raise AssertionError  # the numbers have no end
