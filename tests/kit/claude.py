"""The stand-in for `claude` as a test puts it into a mission's world."""

from __future__ import annotations

import json
import os
import shlex
import sys
from typing import TYPE_CHECKING

from tests.kit.waiting import eventually

if TYPE_CHECKING:
    from tests.kit.overmind import Overmind

LAUNCHER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "standin", "launch.py")
INTERPRETER = (sys.executable, "-IS")
_PROGRAM = f'#!/bin/sh\nexec {shlex.join([*INTERPRETER, LAUNCHER])} "$@"\n'
API_KEY = "dummy"


def install(folder: str) -> str:
    """Write the executable `claude` into a folder, which is made if need be, and return its path.

    It stands beside nothing else there, so the folder can go in front of PATH.
    """
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, "claude")
    with open(path, "w", encoding="utf-8") as file:
        file.write(_PROGRAM)
    os.chmod(path, 0o755)
    return path


def is_stand_in(path: str) -> bool:
    """Whether this is such an executable."""
    try:
        with open(path, "rb") as file:
            return os.path.basename(path) == "claude" and file.read(len(_PROGRAM) + 1) == _PROGRAM.encode()
    except OSError:
        return False


def environment(program: str) -> dict[str, str]:
    """Return what a daemon needs in its environment for that program: where it is, and a key, since it wants one."""
    return {
        "ANTHROPIC_API_KEY": API_KEY,
        "CLAUDE_CODE_MAX_RETRIES": "1",
        "OVERMIND_CLAUDE_BIN": program,
    }


def at_hand(om: Overmind, folder: str | os.PathLike[str]) -> Overmind:
    """Have `claude` be the stand-in, written below `folder`, for all that `om` starts; return `om`."""
    om.environment |= environment(install(os.path.join(folder, "bin")))
    return om


def settle(om: Overmind, *trusted: str) -> None:
    """Have the person of `om` have set the program up, with its key, and trust these folders."""
    known = {
        "hasCompletedOnboarding": True,
        "customApiKeyResponses": {"approved": [API_KEY], "rejected": []},
        "projects": {folder: {"hasTrustDialogAccepted": True} for folder in trusted},
    }
    with open(os.path.join(om.environment["HOME"], ".claude.json"), "w", encoding="utf-8") as file:
        json.dump(known, file)


def idle(om: Overmind, name: str) -> str:
    """Start a session that nobody has talked to, and return its id when it waits for that."""
    mission = _session(om, name)
    eventually(lambda: om.info(mission)["activity"] == "idle", what="idle")
    return mission


def greeted(om: Overmind, name: str) -> str:
    """Start a session, and return its id when it has answered once."""
    mission = _session(om, name)
    om.ok("send", name, "--wait", "hello")
    return mission


def _session(om: Overmind, name: str) -> str:
    return str(om.json("claude", "run", "--json", "--type", "session", "--name", name)["id"])
