"""Where it plays: a temporary folder with a home of its own, and the command line in it."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parents[2]
PROGRAM = (sys.executable, "-P", "-m", "overmind_core.cli")
SETTINGS = '[guardian]\nevery = "2s"\n'
"""So that nobody has to wait for the guardian: it looks every 15 s otherwise."""
FOLDER = "demo-spec"
LOOK = 1.0
"""Seconds without an event after which it is looked whether something else is due."""


class Unexpected(Exception):
    """The demonstration goes another way than it is told."""


class Stage:
    """A home."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.home.mkdir()
        (self.home / "config.toml").write_text(SETTINGS, encoding="utf-8")
        self.shop = self.home / FOLDER / "shop"
        self.environ = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "OVERMIND_"))},
            "OVERMIND_HOME": str(self.home),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": os.pathsep.join([str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])]),
        }

    def overmind(self, *words: str, check: bool = True) -> str:
        """Run the command line; return what it prints.

        Raises:
            Unexpected: it has failed.
        """
        return self.run([*PROGRAM, *words], check=check)

    def json(self, *words: str) -> Any:  # noqa: ANN401 - any JSON
        """Run the command line and read what it prints."""
        return json.loads(self.overmind(*words, "--json"))

    def run(self, words: Sequence[str], *, cwd: Path | None = None, check: bool = True) -> str:
        """Run a program; return what it prints."""
        done = subprocess.run(
            words,
            cwd=cwd or self.home.parent,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if check and done.returncode:
            raise Unexpected(f"{' '.join(words)}: {(done.stderr or done.stdout).strip()}")
        return done.stdout

    def kill_daemon(self) -> int:
        """Kill the daemon as nothing else can be killed; return its process."""
        pid = int(self.json("status")["pid"])
        os.kill(pid, signal.SIGKILL)
        return pid

    def events(self, deadline: float) -> Iterator[dict[str, Any] | None]:
        """What happens, as it happens, over any death of the daemon; None now and then where nothing does.

        Raises:
            Unexpected: `deadline`, in monotonic seconds, has passed.
        """
        newest = 0
        while True:
            words = [*PROGRAM, "events", "--follow", "--since", str(newest)]
            with subprocess.Popen(
                words, env=self.environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            ) as follower:
                try:
                    for line in _lines(follower, deadline):
                        event = None if line is None else json.loads(line)
                        newest = newest if event is None else int(event["seq"])
                        yield event
                finally:
                    follower.kill()

    def processes(self) -> list[int]:
        """The processes of this home that live."""
        done = self.run(["ps", "-axwwo", "pid=,command="])
        found = (line.split(None, 1) for line in done.splitlines() if str(self.home) in line)
        return [int(pid) for pid, _ in found]

    def clear(self) -> None:
        """End everything."""
        self.overmind("demo", "spec", "stop", check=False)
        self.overmind("shutdown", "--yes", check=False)


def _lines(follower: subprocess.Popen[bytes], deadline: float) -> Iterator[bytes | None]:
    assert follower.stdout is not None
    os.set_blocking(follower.stdout.fileno(), False)
    rest = b""
    with selectors.DefaultSelector() as selector:
        selector.register(follower.stdout, selectors.EVENT_READ)
        while True:
            if time.monotonic() > deadline:
                raise Unexpected("it is not done after all this time")
            if not selector.select(LOOK):
                yield None
                continue
            data = os.read(follower.stdout.fileno(), 1 << 16)
            if not data:
                return
            *whole, rest = (rest + data).split(b"\n")
            yield from whole


@contextmanager
def stage() -> Iterator[Stage]:
    """A stage, of which nothing is left afterwards."""
    with tempfile.TemporaryDirectory(prefix="om-", ignore_cleanup_errors=True) as folder:
        one = Stage(Path(folder))
        try:
            yield one
        finally:
            one.clear()
