"""Output to disk: writers of 80-column lines, whose logs are compared byte by byte, beside tmux and beside nothing."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping

from bench import tmux
from bench.figures import Figure, at_least, megabytes, megabytes_per_second, take_turns
from bench.product import Api, Product
from bench.sizes import choose_size
from bench.writers import Stored, Writers, writers

MANY = choose_size(8, smoke=2)
MANY_SIZE = choose_size(10_000_000, smoke=80_000)
ONE_SIZE = choose_size(60_000_000, smoke=80_000)
ROUNDS = choose_size(5, smoke=1)
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
        ours, plain, piped = take_turns(sides, rounds=ROUNDS).values()
        lost = 1 - group.stored / group.output
    what = f"{MANY} writers of {megabytes(MANY_SIZE)}, logged and verified"
    named = piped._replace(name=f"tmux with pipe-pane (loses {lost:.1%})")
    return [at_least(what, ours, theirs, MANY_GOAL, megabytes_per_second) for theirs in (plain, named)]


def _one(product: Product, folder: str) -> list[Figure]:
    with writers(folder, 1, ONE_SIZE) as group:
        sides = {"overmind": lambda: _ours(product, group), "discard": lambda: _discarded(group)}
        ours, theirs = take_turns(sides, rounds=ROUNDS).values()
    what = f"one writer of {megabytes(ONE_SIZE)}, logged and verified"
    named = theirs._replace(name="a reader that discards everything")
    return [at_least(what, ours, named, ONE_GOAL, megabytes_per_second)]


def _ours(product: Product, group: Writers) -> float:
    with product.home() as home, contextlib.closing(home.connect()) as api:
        folders: dict[str, str] = {}

        def begin() -> Stored:
            requests = [home.mission(["/bin/sh", "-c", command]) for command in group.commands]
            for answer in api.call_each("run", requests):
                logs = api.call("logs", {"ids": [answer["id"]]})
                folders[answer["id"]] = logs["missions"][0]["runs"][0]["path"]
            return lambda: sum(map(_size, folders.values()))

        rate = group.rate(begin)
        _verify(api, folders, group)
    return rate


def _verify(api: Api, folders: Mapping[str, str], group: Writers) -> None:
    """Compare length and SHA-256 of every log with what its writer wrote.

    As sets: answers don't come in the order of their requests.
    """
    if any(ended["exit_code"] != 0 for ended in api.until_ended(list(folders))):
        raise RuntimeError("a writer failed")
    found = []
    for folder in folders.values():
        text = _logged(folder)
        found.append((len(text), hashlib.sha256(text).hexdigest()))
    if sorted(found) != sorted(group.expected):
        raise RuntimeError("what was logged is not what was written")


def _size(folder: str) -> int:
    """Bytes of a run's log; there is no folder before its first byte."""
    if not os.path.isdir(folder):
        return 0
    return sum(entry.stat().st_size for entry in os.scandir(folder) if entry.name.startswith("out."))


def _logged(folder: str) -> bytes:
    """The bytes of a run's log: its segments' names sort as they follow each other."""
    text = b""
    for name in sorted(name for name in os.listdir(folder) if name.startswith("out.")):
        with open(os.path.join(folder, name), "rb") as file:
            text += file.read()
    return text


def _theirs(folder: str, group: Writers, *, piped: bool) -> float:
    with tmux.server(folder) as server:

        def begin() -> Stored:
            paths = []
            for number, command in enumerate(group.commands):
                window = server("new-window", "-d", "-P", "-F", "#{window_id}", command).strip()
                if piped:
                    paths.append(os.path.join(server.folder, f"piped-{number}"))
                    server("pipe-pane", "-t", window, f"exec cat > {shlex.quote(paths[-1])}")
            return (lambda: sum(map(os.path.getsize, paths))) if piped else (lambda: group.output)

        return group.rate(begin)


def _discarded(group: Writers) -> float:
    readers: list[subprocess.Popen[bytes]] = []

    def begin() -> Stored:
        readers.extend(subprocess.Popen([sys.executable, DISCARD, command]) for command in group.commands)
        return lambda: group.output

    rate = group.rate(begin)
    for reader in readers:
        reader.wait()
    return rate
