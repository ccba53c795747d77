"""Where the demonstration plays: a temporary folder with a copy of the shop, a repository of its own, and a home."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parents[2]
SHOP = HERE / "examples" / "webshop"
PROGRAM = (sys.executable, "-P", "-m", "overmind_core.cli")
DATABASES: Mapping[str, tuple[str, str]] = {
    "docker": ("", ""),
    "redis-server": ("", ""),
    "stand-in": ("exec redis-server", "exec python3 -m tests.stand_in --port $PORT #"),
}
"""What stands for the database → what is written into no-docker.yml instead of what."""
AUTHOR = {"NAME": "Ada", "EMAIL": "ada@example.com"}
PAUSE = 0.2
"""Seconds between two looks."""


class Unexpected(Exception):
    """The story goes another way than it is told."""


class Stage:
    """Commands are run in the copy of the shop, and shown with what they print."""

    def __init__(self, folder: Path, database: str) -> None:
        self.shop = folder / "webshop"
        self.home = folder / "home"
        who = {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER") for what, value in AUTHOR.items()}
        self.environ = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "OVERMIND_"))},
            **who,
            "OVERMIND_HOME": str(self.home),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": os.pathsep.join([str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])]),
        }
        shutil.copytree(SHOP, self.shop, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(self.shop / ".env.example", self.shop / ".env")
        if database != "docker":
            without_docker(self.shop, database)
        for words in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "A shop"]):
            self.git(*words)

    def git(self, *words: str) -> str:
        """Run git."""
        return self._run(["git", *words])

    def overmind(self, *words: str) -> str:
        """Run the command line."""
        return self._run([*PROGRAM, *words])

    def json(self, *words: str) -> Any:  # noqa: ANN401 - any JSON
        """Run the command line and read what it prints."""
        return json.loads(self.overmind(*words, "--json"))

    def status(self, mission: str) -> str:
        """Where a mission stands, "" before it is there."""
        known = {row["name"]: row["status"] for row in self.json("ps", "--all")}
        return str(known.get(f"webshop/{mission}", known.get(mission, "")))

    def ended(self, mission: str) -> None:
        """Wait for a mission's end, whatever that is."""
        self._run([*PROGRAM, "wait", mission], check=False)

    def show(self, command: str, *, only: Callable[[str], bool] = bool, columns: int = 1000) -> str:
        """Run a command as a person types it, and print it with what it prints.

        Args:
            command: With its words.
            only: Chooses lines.
            columns: What is longer is cut.
        """
        words = command.split()
        text = self.git(*words[1:]) if words[0] == "git" else self.overmind(*words[1:])
        sys.stdout.write(f"   $ {command}\n")
        for line in filter(only, text.replace(str(self.shop), "~/webshop").splitlines()):
            sys.stdout.write(f"     {line[:columns].rstrip()}\n")
        sys.stdout.flush()
        return text

    def until(self, what: str, look: Callable[[], bool], seconds: float = 120.0) -> None:
        """Wait until it is so.

        Raises:
            Unexpected: it is not, after so long.
        """
        deadline = time.monotonic() + seconds
        while not look():
            if time.monotonic() > deadline:
                raise Unexpected(f"after {seconds:.0f} seconds still not: {what}")
            time.sleep(PAUSE)

    def clear(self) -> None:
        """End everything, and take away what missions had of their own."""
        if not self.home.exists():
            return
        for words in ("delete webshop --yes", "worktrees prune --all --force --yes", "shutdown --yes"):
            self._run([*PROGRAM, *words.split()], check=False)

    def _run(self, words: Sequence[str], *, check: bool = True) -> str:
        done = subprocess.run(
            words,
            cwd=self.shop,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if check and done.returncode:
            raise Unexpected(f"{' '.join(words)}: {done.stderr or done.stdout}")
        return done.stdout


def without_docker(shop: Path, database: str) -> None:
    """Turn a copy of the shop into one whose database is a process."""
    text = (shop / "no-docker.yml").read_text(encoding="utf-8")
    (shop / ".overmind.yml").write_text(text.replace(*DATABASES[database]), encoding="utf-8")


@contextmanager
def stage(database: str) -> Iterator[Stage]:
    """A stage, of which nothing is left afterwards."""
    with tempfile.TemporaryDirectory(prefix="om-", ignore_cleanup_errors=True) as folder:
        one = Stage(Path(folder), database)
        try:
            yield one
        finally:
            one.clear()
