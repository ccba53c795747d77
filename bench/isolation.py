"""From `run --isolate` to the first instruction of the work, beside the same by hand: a worktree, a Redis, both."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from bench.figures import Figure, Row, Skipped, at_most, milliseconds, take_turns
from bench.product import Api, Home, Product
from bench.sizes import choose_size
from overmind_core.containers.engine import Engine
from overmind_core.containers.model import EngineMissing

ROUNDS = choose_size(7, smoke=1)
FEW, MANY = choose_size((100, 20_000), smoke=(5, 20))
"""Files of a repository."""
PER_FOLDER = 100
AT_ONCE = choose_size(20, smoke=2)
IMAGES = ("redis:7", "overmind-test/redis:7")
"""The second is made of this machine's own Redis: scripts/test-images."""
GIT = {
    "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.com", "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@example.com", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1",
}  # fmt: skip
PROJECT = """\
services:
  db:
    docker: {image}
    port: 6379
    ready: {{ exec: redis-cli ping | grep -q PONG }}
"""
PATIENCE = 60.0
"""Seconds for a database to answer."""


class Case(NamedTuple):
    """One row."""

    what: str
    files: int = FEW
    at_once: int = 1
    image: str = ""
    """Of a database; "" for none."""
    most: float = 3.0
    """Goal: so many times what it takes by hand."""


def measure(product: Product, folder: str) -> Iterator[Row]:
    """One row for each case: from the request to the first instruction."""
    if shutil.which("git") is None:
        yield Skipped("isolation", "git is not installed (apt-get install git)")
        return
    cases = [
        Case(f"`run --isolate`, {FEW} files, to the first instruction"),
        Case(f"`run --isolate`, {MANY:,} files, to the first instruction", files=MANY, most=1.5),
        Case(f"{AT_ONCE} × `run --isolate` at once, {FEW} files, to the last one's first instruction", at_once=AT_ONCE),
    ]
    for case in cases:
        yield _measured(product, folder, case)
    image = _image()
    if isinstance(image, Skipped):
        yield image
        return
    case = Case("`run --isolate` with a Redis of its own, to the first instruction", image=image, most=1.5)
    yield _measured(product, folder, case)


def _measured(product: Product, folder: str, case: Case) -> Figure:
    where = os.path.join(folder, "isolated")
    source = _repository(where, case)
    fifo = os.path.join(where, "begun")
    os.mkfifo(fifo)
    try:
        with product.home() as home, contextlib.closing(home.connect()) as api:
            home.environment.update(GIT)
            if case.image:
                home.command("trust", source)
            by_hand = "by hand: git worktree add" + (", docker run, PING" if case.image else "")
            sides = {"ours": _ours(home, api, source, fifo, case), by_hand: _by_hand(source, fifo, case)}
            for side in sides.values():
                side()  # what is loaded once
            taken = take_turns(sides, rounds=ROUNDS)
    finally:
        shutil.rmtree(where)
    return at_most(case.what, taken["ours"], taken[by_hand], case.most, milliseconds)


def _repository(where: str, case: Case) -> str:
    source = os.path.join(where, "project")
    for number in range(case.files):
        path = os.path.join(source, f"{number // PER_FOLDER}", f"{number}.txt")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"{number}\n" * 50)
    if case.image:
        with open(os.path.join(source, ".overmind.yml"), "w", encoding="utf-8") as file:
            file.write(PROJECT.format(image=case.image))
    _git(source, "init", "-q", "-b", "main")
    _git(source, "add", "-A")
    _git(source, "commit", "-q", "-m", "all")
    return source


def _git(source: str, *words: str) -> None:
    subprocess.run(["git", *words], cwd=source, env={**os.environ, **GIT}, check=True, stdout=subprocess.DEVNULL)


def _ours(home: Home, api: Api, source: str, fifo: str, case: Case) -> Callable[[], float]:
    def round_() -> float:
        request = {"command": _tell(fifo), "cwd": source, "env": home.environment, "isolate": True}
        with _begun(fifo, case.at_once) as wait:
            began = time.perf_counter()
            missions = api.call_each("run", [request] * case.at_once)
            wait()
            took = time.perf_counter() - began
        names = [str(mission["id"]) for mission in missions]
        api.until_ended(names)
        home.command("discard", "--force", *names)
        return took

    return round_


def _by_hand(source: str, fifo: str, case: Case) -> Callable[[], float]:
    def round_() -> float:
        places = [os.path.join(os.path.dirname(source), f"by-hand-{number}") for number in range(case.at_once)]
        with _begun(fifo, case.at_once) as wait, contextlib.ExitStack() as after:
            began = time.perf_counter()
            for place in places:  # one after the other: several gits at once trip over each other
                _git(source, "worktree", "add", "-q", "-b", os.path.basename(place), place, "main")
            if case.image:
                name = _database(case.image)
                after.callback(_removed, name)
            work = [subprocess.Popen(_tell(fifo), cwd=place) for place in places]
            wait()
            took = time.perf_counter() - began
            for one in work:
                one.wait()
        for place in places:
            _git(source, "worktree", "remove", "--force", place)
            _git(source, "branch", "-q", "-D", os.path.basename(place))
        return took

    return round_


def _tell(fifo: str) -> list[str]:
    return ["/bin/sh", "-c", f"echo >{fifo}"]


@contextlib.contextmanager
def _begun(fifo: str, count: int) -> Iterator[Callable[[], None]]:
    """Gives what waits until so many have written a byte."""
    descriptor = os.open(fifo, os.O_RDWR)

    def wait() -> None:
        left = count
        while left:
            left -= len(os.read(descriptor, left))

    try:
        yield wait
    finally:
        os.close(descriptor)


# the database


def _image() -> str | Skipped:
    """An image that the engine here has."""
    what = "isolation with a container"
    if shutil.which("docker") is None:
        return Skipped(what, "docker is not installed")
    try:
        engine = Engine.connect(os.environ)
    except EngineMissing:
        return Skipped(what, "no engine of Docker or Podman answers (scripts/docker-engine start, and set DOCKER_HOST)")
    try:
        found = next((image for image in IMAGES if engine.has_image(image)), "")
    finally:
        engine.close()
    return found or Skipped(what, "docker has no image of Redis (scripts/test-images)")


def _database(image: str) -> str:
    """Start one as a person would, and wait until it answers; return its name."""
    run = ["docker", "run", "-d", "-p", "127.0.0.1::6379", image]
    name = subprocess.run(run, check=True, capture_output=True, text=True).stdout.strip()
    told = subprocess.run(["docker", "port", name, "6379"], check=True, capture_output=True, text=True).stdout
    port = int(told.splitlines()[0].rpartition(":")[2])
    deadline = time.monotonic() + PATIENCE
    while not _answers(port):
        if time.monotonic() > deadline:
            raise RuntimeError(f"the database of {image} does not answer")
        time.sleep(0.01)
    return name


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1.0) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False


def _removed(name: str) -> None:
    subprocess.run(["docker", "rm", "-f", "-v", name], check=True, stdout=subprocess.DEVNULL)
