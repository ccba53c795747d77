"""A service is data: a file, its text, and what the init system is told about it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from hashlib import sha256
from typing import NamedTuple

from overmind_core.system.paths import Home

Argv = tuple[str, ...]


class Plan(NamedTuple):
    """How the daemon of one home becomes a service."""

    name: str
    """What the init system calls it."""
    path: str
    """Where the init system looks for the file."""
    text: str
    probe: Argv
    """Succeeds when the init system answers."""
    verify: Argv
    """Judges the file."""
    install: tuple[Argv, ...]
    """Told once the file is written; the first may fail when there is nothing to replace."""
    remove: tuple[Argv, ...]
    """Told before the file is removed."""
    forget: tuple[Argv, ...]
    """Told after that."""
    advice: str
    """What a person may want to do besides; "" for nothing."""


def command(*words: str) -> Argv:
    """Return a command line of ours: absolute, whatever PATH the init system has.

    -P: no folder in which somebody stands becomes part of the program.
    """
    return (os.path.abspath(sys.executable), "-P", "-m", "overmind_core.cli", *words)


def suffix(home: Home, environ: Mapping[str, str]) -> str:
    """Return what tells this home's service from the default home's: nothing for that one."""
    if is_default(home, environ):
        return ""
    return "-" + sha256(os.fsencode(home.root)).hexdigest()[:8]


def is_default(home: Home, environ: Mapping[str, str]) -> bool:
    """Whether the home needs no OVERMIND_HOME."""
    return home.root == Home.resolve({name: environ[name] for name in ("HOME",) if name in environ}).root


def user_folder(environ: Mapping[str, str]) -> str:
    """Return the person's own folder."""
    return environ.get("HOME") or os.path.expanduser("~")
