"""The folder of the demonstration, below the home: a small project under git, and the programs that work in it."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import time

from overmind_core.demo.parts import AGENT, BASHRC, SHOP
from overmind_core.demo.shop import SOURCES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

SESSIONS = "sessions"
"""What the agent remembers."""
PROGRAMS = {
    f"{SHOP}/build": "build",
    f"{SHOP}/serve": "service",
    f"{SHOP}/worker": "worker",
    f"{SHOP}/test": "tests",
    AGENT: "agent",
}
"""File → the module that it runs."""

_BASHRC = r"""unset HISTFILE
PS1='\[\e[32m\]\W\[\e[0m\] ❯ '
printf 'A real shell in %s.\n' "$PWD"
git log --oneline 2>/dev/null
ls -C
"""
_GIT_SECONDS = 20.0
_DAY = 86400


def write(root: str, environ: Mapping[str, str]) -> None:
    """Make the folder as it is at the beginning; what is there already is overwritten.

    Raises:
        OSError: it can't be written.
    """
    shop = os.path.join(root, SHOP)
    for folder in (shop, os.path.join(root, SESSIONS), os.path.dirname(os.path.join(root, AGENT))):
        os.makedirs(folder, mode=0o700, exist_ok=True)
    for name, text in SOURCES.items():
        _put(os.path.join(shop, name), text)
    for name, module in PROGRAMS.items():
        words = shlex.join([sys.executable, "-P", "-m", f"overmind_core.demo.{module}"])
        _put(os.path.join(root, name), f'#!/bin/sh\nexec {words} "$@"\n', mode=0o700)
    _put(os.path.join(root, BASHRC), _BASHRC)
    if not os.path.isdir(os.path.join(shop, ".git")):
        _begin_history(shop, environ)


def remove(root: str) -> bool:
    """Remove it; whether there was any."""
    there = os.path.isdir(root)
    shutil.rmtree(root, ignore_errors=True)
    return there


def _put(path: str, text: str, *, mode: int = 0o600) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
        os.fchmod(file.fileno(), mode)


def _begin_history(shop: str, environ: Mapping[str, str]) -> None:
    """Put it under git, so that changes show; without git there are none to see."""
    git = shutil.which("git", path=environ.get("PATH"))
    if git is None:
        return
    who = ["-c", "user.name=demo", "-c", "user.email=demo@localhost"]
    clean = {name: value for name, value in environ.items() if not name.startswith("GIT_")}
    yesterday = f"{int(time.time()) - _DAY} +0000"  # what the agent changes is new, this is not
    clean |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    clean |= {"GIT_AUTHOR_DATE": yesterday, "GIT_COMMITTER_DATE": yesterday}
    for words in (["init", "-q", "-b", "main"], ["add", "-A"], [*who, "commit", "-q", "-m", "the shop opens"]):
        done = subprocess.run(
            [git, *words], cwd=shop, env=clean, capture_output=True, timeout=_GIT_SECONDS, check=False
        )
        if done.returncode:
            return
