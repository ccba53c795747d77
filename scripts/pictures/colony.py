"""A home of its own with a daemon and a handful of missions, as somebody might have them on an afternoon."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from typing import NamedTuple

HERE = os.path.dirname(os.path.abspath(__file__))
BIN = os.path.dirname(sys.executable)
KEPT = ("LANG", "LC_ALL", "TMPDIR", "TZ")
MISSIONS = (
    ("--name", "planner", "./plan"),
    ("--name", "train", "--label", "team=research", "./train"),
    ("--name", "deploy", "./deploy"),
)
"""The planner starts three more."""


class Colony(NamedTuple):
    """Where it lives."""

    home: str
    project: str
    environ: dict[str, str]

    def overmind(self, *words: str) -> str:
        """Give a command; what it printed."""
        argv = [os.path.join(BIN, "overmind"), *words]
        return subprocess.run(
            argv, env=self.environ, cwd=self.project, check=True, capture_output=True, text=True
        ).stdout


@contextlib.contextmanager
def colony() -> Iterator[Colony]:
    """Start it; afterwards nothing of it is left."""
    with tempfile.TemporaryDirectory(prefix="overmind-") as folder:
        project = os.path.join(folder, "shop")
        shutil.copytree(os.path.join(HERE, "work"), project)
        environ = {name: os.environ[name] for name in KEPT if name in os.environ} | {
            "HOME": folder,
            "OVERMIND_HOME": os.path.join(folder, ".overmind"),
            "PATH": BIN + os.pathsep + os.environ["PATH"],
            "TERM": "xterm-256color",
        }
        made = Colony(environ["OVERMIND_HOME"], project, environ)
        try:
            for words in MISSIONS:
                made.overmind("run", *words)
            yield made
        finally:
            made.overmind("shutdown", "--yes")
