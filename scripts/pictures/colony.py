"""A home of its own with the demonstration in it, and a Claude Code to start, as somebody might have them."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from scripts.pictures.workers import AUTHOR, commit, repository
from scripts.webshop.stage import SHOP, without_docker
from tests.kit import claude
from tests.kit.agent_world import QUIET
from tests.kit.messages_api import MessagesApi

BIN = os.path.dirname(sys.executable)
KEPT = ("LC_ALL", "TMPDIR", "TZ")
FOLDER = "/tmp/ada"  # noqa: S108 - it is seen in the pictures, so it is short; another one is taken where it is there
REPOSITORY = "REPOSITORY"
"""In a command: the folder of the repository where isolated missions work."""
WEBSHOP = "WEBSHOP"
"""In a command: the folder of a copy of examples/webshop, without containers."""
PLACES = {REPOSITORY: "shop", WEBSHOP: "webshop"}
AGENT = "claude"
"""The mission in which Claude Code runs on a terminal, once `CLAUDE` has started it."""
CLAUDE = ("claude", "run", "--name", AGENT, "--type", "session", "--interactive", "--permission-mode", "manual")


class Colony(NamedTuple):
    """Where it lives.

    Attributes:
        home: Of Overmind.
        project: The folder where its missions stand.
        environ: The world in which commands are given.
        agent: The program that plays Claude Code: itself, or the stand-in.
    """

    home: str
    project: str
    environ: dict[str, str]
    agent: str

    def overmind(self, *words: str) -> str:
        """Give a command; what it printed."""
        on_result = (os.path.join(self.environ["HOME"], PLACES[word]) if word in PLACES else word for word in words)
        argv = [os.path.join(BIN, "overmind"), *on_result]
        folder = self.project if os.path.isdir(self.project) else self.environ["HOME"]
        return subprocess.run(
            argv, env=self.environ, cwd=folder, check=True, capture_output=True, text=True
        ).stdout  # fmt: skip


@contextlib.contextmanager
def colony(*, demonstration: bool = True) -> Iterator[Colony]:
    """Start it; afterwards nothing of it is left. Without the demonstration nothing runs, and it stands in `~/shop`."""
    with _folder() as folder, MessagesApi() as api:
        home = os.path.join(folder, ".overmind")
        shop = os.path.join(folder, PLACES[REPOSITORY])
        project = os.path.join(home, "demo", "shop") if demonstration else shop
        program = _claude(folder)
        environ = {name: os.environ[name] for name in KEPT if name in os.environ} | {
            **QUIET,
            **AUTHOR,
            "ANTHROPIC_API_KEY": claude.API_KEY,
            "ANTHROPIC_BASE_URL": api.url,
            "HOME": folder,
            "LANG": "C.UTF-8",
            "OVERMIND_CLAUDE_BIN": program,
            "OVERMIND_HOME": home,
            "PATH": BIN + os.pathsep + os.environ["PATH"],
            "SHELL": "/bin/bash",
            "TERM": "xterm-256color",
        }
        made = Colony(home, project, environ, os.path.basename(os.path.dirname(program)))
        _known(folder, project)
        repository(shop, environ)
        _webshop(os.path.join(folder, "webshop"), environ)
        try:
            if demonstration:
                made.overmind("demo", "--no-tui")
            yield made
        finally:
            with contextlib.suppress(subprocess.CalledProcessError):  # none was ever needed
                made.overmind("shutdown", "--yes")


def _webshop(folder: str, environ: dict[str, str]) -> None:
    shutil.copytree(SHOP, folder, ignore=shutil.ignore_patterns("__pycache__"))
    without_docker(Path(folder), "stand-in")
    commit(folder, environ)


@contextlib.contextmanager
def _folder() -> Iterator[str]:
    try:
        os.mkdir(FOLDER, 0o700)
    except FileExistsError:
        with tempfile.TemporaryDirectory(prefix="overmind-") as folder:
            yield folder
        return
    try:
        yield FOLDER
    finally:
        shutil.rmtree(FOLDER, ignore_errors=True)


def _claude(folder: str) -> str:
    """The program where it has been fetched (`make test-claude`), else the stand-in of the tests."""
    cache = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "overmind", "claude")
    versions = sorted(os.listdir(cache)) if os.path.isdir(cache) else []
    found = [path for version in versions if os.access(path := os.path.join(cache, version, "claude"), os.X_OK)]
    if found:
        return found[-1]
    there = os.path.join(folder, "stand-in")
    os.mkdir(there)
    return claude.install(there)


def _known(folder: str, project: str) -> None:
    """Claude Code has met this person, who trusts the project."""
    known = {
        "hasCompletedOnboarding": True,
        "hasSeenAutoDefaultNudge": True,
        "customApiKeyResponses": {"approved": [claude.API_KEY], "rejected": []},
        "projects": {project: {"hasTrustDialogAccepted": True}},
    }
    with open(os.path.join(folder, ".claude.json"), "w", encoding="utf-8") as file:
        json.dump(known, file)
