"""Filters that are switched off for git in a worktree, as their programs are not there. Git's files are as committed.

A file in git's folder for the worktree has them. A filter is off for as long as its program is missing: it counts again
once that is installed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping

from overmind_core.system.small_file import read_small_file

FILE = "overmind-filters"
"""Name in git's folder for a worktree; a line is a filter, a blank and its program."""
NAME = re.compile(r"[-\w.]+")
"""Names of filters that an attribute in a path's pattern can have."""
_LARGEST = 64 << 10
_LINK = b"gitdir: "


def is_there(program: str, folder: str, path: str) -> bool:
    """Whether a filter's program can be started in a folder, with this PATH."""
    if "/" in program:
        return os.access(os.path.join(folder, program), os.X_OK)
    import shutil  # noqa: PLC0415 - only for who has such a filter

    return shutil.which(program, path=path) is not None


def switch_off(own: str, absent: Mapping[str, str]) -> None:
    """Have later gits of ours in a worktree do without filters.

    Args:
        own: Git's folder for it.
        absent: Filter → its program.

    Raises:
        OSError: it can't be written.
    """
    with open(os.path.join(own, FILE), "wb") as file:
        file.write(b"".join(os.fsencode(f"{name} {program}\n") for name, program in absent.items()))


def switched_off(folder: str, environ: Mapping[str, str]) -> list[str]:
    """Return the filters that are off in a worktree whose top this is; none for any other folder."""
    try:
        link = read_small_file(os.path.join(folder, ".git"), _LARGEST, links=False)
        if link is None or not link.startswith(_LINK):
            return []
        own = os.path.join(folder, os.fsdecode(link.removeprefix(_LINK).rstrip(b"\r\n")))
        rows = read_small_file(os.path.join(own, FILE), _LARGEST, links=False) or b""
    except (OSError, ValueError):
        return []
    path = environ.get("PATH", os.defpath)
    found = (os.fsdecode(row).partition(" ") for row in rows.split(b"\n") if row)
    return [name for name, _, program in found if NAME.fullmatch(name) and not is_there(program, folder, path)]


def settings(names: Iterable[str]) -> list[str]:
    """Words for a git that does without filters."""
    # An empty process is asked for nothing, and nothing else is asked in its place. Source: git's convert.c.
    return [word for name in names for key in ("process=", "smudge=", "clean=", "required=false")
            for word in ("-c", f"filter.{name}.{key}")]  # fmt: skip
