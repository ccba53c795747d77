"""Output to disk: writers of 80-column lines, whose logs are compared byte by byte, beside tmux and beside nothing."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shlex
import subprocess
import sys
from collections.abc import Sequence

from bench import tmux
from bench.figures import Figure, at_least, megabytes, megabytes_per_second, take_turns
from bench.product import Api, Product
from bench.writers import Writers, writers

MANY = 8
MANY_SIZE = 10_000_000
ONE_SIZE = 60_000_000
ROUNDS = 5
MANY_GOAL = 1.5
ONE_GOAL = 0.9
DISCARD = os.path.join(os.path.dirname(os.path.abspath(__file__)), "discard.py")


def measure(product: Product, folder: str) -> list[Figure]:
    return [*_many(product, folder), *_one(product, folder)]


def _many(product: Product, folder: str) -> list[Figure]:
    with writers(folder, MANY, MANY_SIZE) as group:
        sides = {
            "overmind": lambda: _ours(product, group),
            "tmux": lambda: _theirs(folder, group, piped=False),
            "tmux with pipe-pane": lambda: _theirs(folder, group, piped=True),
        }
        ours, *others = take_turns(sides, rounds=ROUNDS).values()
    what = f"{MANY} writers of {megabytes(MANY_SIZE)}, logged and verified"
    return [at_least(what, ours, theirs, MANY_GOAL, megabytes_per_second) for theirs in others]


def _one(product: Product, folder: str) -> list[Figure]:
    with writers(folder, 1, ONE_SIZE) as group:
        sides = {"overmind": lambda: _ours(product, group), "discard": lambda: _discarded(group)}
        ours, theirs = take_turns(sides, rounds=ROUNDS).values()
    what = f"one writer of {megabytes(ONE_SIZE)}, logged and verified"
    named = theirs._replace(name="a reader that discards everything")
    return [at_least(what, ours, named, ONE_GOAL, megabytes_per_second)]


def _ours(product: Product, group: Writers) -> float:
    with product.home() as home, contextlib.closing(home.connect()) as api:
        missions: list[str] = []
        requests = [home.mission(["/bin/sh", "-c", command]) for command in group.commands]
        rate = group.rate(lambda: missions.extend(answer["id"] for answer in api.call_each("run", requests)))
        _verify(api, missions, group)
    return rate


def _verify(api: Api, missions: Sequence[str], group: Writers) -> None:
    """Compare length and SHA-256 of every log with what its writer wrote.

    As sets: answers don't come in the order of their requests.
    """
    if any(ended["exit_code"] != 0 for ended in api.until_ended(missions)):
        raise RuntimeError("a writer failed")
    found = []
    for mission in missions:
        run = api.call("logs", {"ids": [mission]})["missions"][0]["runs"][0]
        text = _logged(run["path"])
        found.append((len(text), hashlib.sha256(text).hexdigest()))
    if sorted(found) != sorted(group.expected):
        raise RuntimeError("what was logged is not what was written")


def _logged(folder: str) -> bytes:
    """The bytes of a run's log: its segments' names sort as they follow each other."""
    text = b""
    for name in sorted(name for name in os.listdir(folder) if name.startswith("out.")):
        with open(os.path.join(folder, name), "rb") as file:
            text += file.read()
    return text


def _theirs(folder: str, group: Writers, *, piped: bool) -> float:
    with tmux.server(folder) as server:

        def begin() -> None:
            for command in group.commands:
                server("new-window", "-d", command)
            if piped:
                for window in server.windows():
                    path = os.path.join(folder, f"piped-{window.removeprefix('@')}")
                    server("pipe-pane", "-t", window, f"exec cat > {shlex.quote(path)}")

        return group.rate(begin)


def _discarded(group: Writers) -> float:
    readers: list[subprocess.Popen[bytes]] = []

    def begin() -> None:
        readers.extend(subprocess.Popen([sys.executable, DISCARD, command]) for command in group.commands)

    rate = group.rate(begin)
    for reader in readers:
        reader.wait()
    return rate
