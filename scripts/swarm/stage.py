"""Where it plays: a temporary folder with a PostgreSQL, six homes, a bare remote, and a checkout of it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import psutil
import psycopg

HERE = Path(__file__).resolve().parents[2]
PROGRAM = (sys.executable, "-P", "-m", "overmind_core.cli")
SERVER = str(HERE / "scripts" / "postgres-server")
HIVES = ("eu1", "eu2", "eu3", "us1", "us2")
SLOTS = "4"
IDENTITY = "[user]\n\tname = Ada\n\temail = ada@example.com\n[init]\n\tdefaultBranch = main\n"
LOOK = 0.1
"""Seconds between two looks for what announces itself by no event."""
ENDING = 60.0
"""Seconds within which everything has to end."""

Seen = TypeVar("Seen")


class Unexpected(Exception):
    """The demonstration goes another way than it must."""


class NoDatabase(Exception):
    """There is no PostgreSQL here; the sentence says how to install one."""


class Home:
    """A home and the command line in it."""

    def __init__(self, name: str, folder: Path, environ: Mapping[str, str]) -> None:
        self.name = name
        self.path = folder / name
        self.path.mkdir()
        self.environ = {**environ, "OVERMIND_HOME": str(self.path)}

    def overmind(self, *words: str, cwd: Path | None = None, check: bool = True) -> str:
        """Run the command line; return what it prints.

        Raises:
            Unexpected: it has failed.
        """
        return run([*PROGRAM, *words], cwd=cwd or self.path, environ=self.environ, check=check)

    def json(self, *words: str) -> Any:  # noqa: ANN401 - any JSON
        """Run the command line and read what it prints."""
        return json.loads(self.overmind(*words, "--json"))

    def pids(self) -> tuple[int, int]:
        """Its supervisor and its keeper."""
        status = self.json("status")
        return int(status["pid"]), int(status["keeper"]["pid"])


class Stage:
    """All of it.

    Attributes:
        owner: The home that has made the swarm, and is no hive of it.
        hives: The others, by name.
        journal: What the quests write: a line when one begins, another one when it ends.
        lives: What the places of the fleet write: a line each with the number of its process.
        gate: The file for which some of the quests wait.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = ""
        self.journal, self.lives, self.gate = (folder / name for name in ("journal", "lives", "gate"))
        account = folder / "account"
        account.mkdir()
        (account / ".gitconfig").write_text(IDENTITY, encoding="utf-8")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "OVERMIND_"))}
        self.environ = {
            **kept,
            "HOME": str(account),
            "SHELL": "/bin/sh",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": os.pathsep.join([str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])]),
        }
        self.checkout, self.remote = folder / "shop", folder / "shop.git"
        self.owner = Home("owner", folder, self.environ)
        self.hives = {name: Home(name, folder, self.environ) for name in HIVES}

    # the database

    def start_database(self) -> None:
        """Start it.

        Raises:
            NoDatabase: there is none, or it does not start.
        """
        done = subprocess.run(
            [SERVER, "start", "--installed"], env=self._server(), capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise NoDatabase(done.stderr.strip().splitlines()[-1])
        self.url = done.stdout.strip()

    @contextmanager
    def frozen_database(self) -> Iterator[None]:
        """No process of it does anything meanwhile."""
        pid_file = self.folder / "postgres" / "data" / "postmaster.pid"
        first = psutil.Process(int(pid_file.read_text(encoding="utf-8").splitlines()[0]))
        stopped = [first, *first.children(recursive=True)]
        for one in stopped:
            with suppress(psutil.NoSuchProcess):
                one.suspend()
        try:
            yield
        finally:
            for one in stopped:
                with suppress(psutil.NoSuchProcess):
                    one.resume()

    def query(self, text: str) -> list[tuple[Any, ...]]:
        """Ask the database itself, as its owner."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            return connection.execute(text.encode()).fetchall()

    def _server(self) -> dict[str, str]:
        return {**self.environ, "OVERMIND_POSTGRES_FOLDER": str(self.folder / "postgres")}

    # the swarm and the code

    def join(self) -> None:
        """Make the swarm, and have the hives join it."""
        self.owner.overmind("swarm", "init", self.url)
        for name, hive in self.hives.items():
            invited = self.owner.json("swarm", "invite", name, "--role", "operator")
            hive.overmind("swarm", "join", invited["url"], "--slots", SLOTS)

    def make_shop(self) -> None:
        """Make the bare remote, and the checkout in which quests are posted."""
        self.git("init", "-q", "--bare", str(self.remote), cwd=self.folder)
        self.git("clone", "-q", str(self.remote), str(self.checkout), cwd=self.folder)
        (self.checkout / "README.md").write_text("A shop\n", encoding="utf-8")
        for words in (["add", "."], ["commit", "-q", "-m", "A shop"], ["push", "-q", "-u", "origin", "main"]):
            self.git(*words)

    def git(self, *words: str, cwd: Path | None = None) -> str:
        """Run git, in the checkout unless it is said where."""
        return run(["git", *words], cwd=cwd or self.checkout, environ=self.environ)

    def landed(self) -> list[str]:
        """The quests whose work is on the remote's main, by the trailers there, oldest first."""
        self.git("fetch", "-q", "origin")
        words = "--format=%(trailers:key=Overmind-Quest,valueonly,separator=%x2C)"
        return self.git("log", "--reverse", "--first-parent", words, "origin/main").replace(",", "\n").split()

    def posts(self) -> dict[str, dict[str, Any]]:
        """All posts that are no places, by name."""
        return {row["name"]: row for row in self.owner.json("ps", "-H", "swarm", "--all") if row["kind"] != "place"}

    # what runs

    def places(self) -> list[int]:
        """The processes of the fleet that live, whatever the swarm believes."""
        return [pid for pid in map(int, read_lines(self.lives)) if lives(pid)]

    def processes(self) -> list[psutil.Process]:
        """All that live and belong to this folder: of its homes, of what runs in them, and of its database."""
        return [one for one in psutil.process_iter() if one.pid != os.getpid() and _belongs(one, str(self.folder))]

    def clear(self) -> None:
        """End everything, whatever state it is in."""
        for home in (*self.hives.values(), self.owner):
            if (home.path / "supervisor.lock").exists():
                home.overmind("shutdown", "--yes", check=False)
        subprocess.run([SERVER, "stop"], env=self._server(), capture_output=True, check=False)
        with suppress(Unexpected):
            until(lambda: not self.processes(), "everything has ended", ENDING)

    def kill_rest(self) -> list[str]:
        """Kill what has outlived `clear`; return the command lines."""
        found = []
        for one in self.processes():
            with suppress(psutil.Error):
                found.append(" ".join(one.cmdline()))
                one.kill()
        return found


def run(words: Sequence[str], *, cwd: Path, environ: Mapping[str, str], check: bool = True) -> str:
    """Run a program; return what it prints.

    Raises:
        Unexpected: it has failed.
    """
    done = subprocess.run(
        words, cwd=cwd, env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if check and done.returncode:
        raise Unexpected(f"{' '.join(words)}: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def until(look: Callable[[], Seen], what: str, seconds: float) -> Seen:
    """Return the first true answer of `look`.

    Raises:
        Unexpected: there is none after so many seconds.
    """
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        if time.monotonic() > deadline:
            raise Unexpected(f"after {seconds:g} s still not: {what}")
        time.sleep(LOOK)
    return seen


def read_lines(path: Path) -> list[str]:
    """The whole lines of a file; none where there is no file yet."""
    with suppress(FileNotFoundError):
        return [line for line in path.read_text(encoding="utf-8").splitlines(keepends=True) if line.endswith("\n")]
    return []


def lives(pid: int) -> bool:
    """Whether a process is there, and not only its entry."""
    with suppress(psutil.NoSuchProcess):
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    return False


def _belongs(process: psutil.Process, folder: str) -> bool:
    with suppress(psutil.Error):
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        inside = f"{folder}{os.sep}"
        return process.environ().get("OVERMIND_HOME", "").startswith(inside) or any(
            inside in word for word in process.cmdline()
        )
    return False


@contextmanager
def stage() -> Iterator[Stage]:
    """A stage, of which nothing is left afterwards.

    Raises:
        Unexpected: a process or a file was left, and had to be removed by force.
    """
    folder = Path(tempfile.mkdtemp(prefix="om-swarm-"))
    folder.chmod(0o711)  # the database runs as somebody else where we are root
    one = Stage(folder)
    left: list[str] = []
    try:
        yield one
    finally:
        before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
        one.clear()
        left = one.kill_rest()
        shutil.rmtree(folder, ignore_errors=True)
        for number, handler in before.items():
            signal.signal(number, handler)
    if left or folder.exists():
        raise Unexpected(f"something was left: {left or folder}")
