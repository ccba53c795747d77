"""A cold list of 100 processes, and 100 of them started, beside supervisord (PyPI) and pm2 (npm).

And a cold board of 1,000 quests, beside Backlog.md and Task Master (npm) with as many tasks.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from bench import queue
from bench.figures import Figure, Row, Side, Skipped, at_least, at_most, milliseconds, per_second, take_turns
from bench.processes import duration
from bench.product import Product
from bench.sizes import choose_size

COUNT = choose_size(100, smoke=3)
QUESTS = choose_size(1000, smoke=5)
LISTS, STARTS, BOARDS = choose_size((15, 3, 5), smoke=(1, 1, 1))
"""Rounds."""
PATIENCE = 300.0
BOARD_GOAL = 0.5


class Peer(Protocol):
    """Another supervisor, in a folder of its own."""

    name: str
    lister: str
    listing: list[str]
    environment: dict[str, str]

    def start(self) -> float:
        """Start it with `COUNT` sleeping processes; seconds until all run."""

    def end(self) -> None:
        """End it and them."""


class Supervisord:
    """From PyPI."""

    name = "supervisord"
    lister = "supervisorctl status"

    def __init__(self, folder: str) -> None:
        self.environment = {"PATH": os.environ["PATH"], "HOME": folder}
        subprocess.run([sys.executable, "-m", "venv", f"{folder}/venv"], check=True)
        _install([f"{folder}/venv/bin/python", "-m", "pip", "install", "--quiet", "supervisor", "setuptools<81"])
        self._config = f"{folder}/supervisord.conf"
        with open(self._config, "w", encoding="utf-8") as file:
            file.write(
                f"[unix_http_server]\nfile={folder}/sock\n[supervisord]\nnodaemon=false\npidfile={folder}/pid\n"
                f"logfile={folder}/log\nminfds=4096\n[rpcinterface:supervisor]\n"
                "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n"
                f"[supervisorctl]\nserverurl=unix://{folder}/sock\n"
                f"[program:sleep]\ncommand=sleep 100000\nprocess_name=%(process_num)s\nnumprocs={COUNT}\nstartsecs=0\n"
            )
        self._bin = f"{folder}/venv/bin"
        self.listing = [f"{self._bin}/supervisorctl", "-c", self._config, "status"]

    def start(self) -> float:
        """Its own start is part of it: what it starts is in its configuration."""
        began = time.perf_counter()
        _run([f"{self._bin}/supervisord", "-c", self._config], self.environment)
        while _run(self.listing, self.environment).count("RUNNING") < COUNT:
            pass
        return time.perf_counter() - began

    def end(self) -> None:
        """Its pid file goes last."""
        _run([f"{self._bin}/supervisorctl", "-c", self._config, "shutdown"], self.environment)
        while os.path.exists(f"{os.path.dirname(self._config)}/pid"):
            time.sleep(0.05)


class Pm2:
    """From npm."""

    name = "pm2"
    lister = "pm2 list"

    def __init__(self, folder: str) -> None:
        self.environment = {"PATH": os.environ["PATH"], "HOME": folder, "PM2_HOME": f"{folder}/home"}
        self._pm2 = _npm("pm2", folder, "pm2")
        self._apps = f"{folder}/apps.json"
        apps = [
            {"name": f"sleep{at}", "script": "/bin/sleep", "args": "100000", "interpreter": "none"}
            for at in range(COUNT)
        ]
        with open(self._apps, "w", encoding="utf-8") as file:
            json.dump({"apps": apps}, file)
        self.listing = [self._pm2, "list"]

    def start(self) -> float:
        """Its daemon is there already, as ours is."""
        _run([self._pm2, "ping"], self.environment)
        began = time.perf_counter()
        _run([self._pm2, "start", self._apps], self.environment)
        return time.perf_counter() - began

    def end(self) -> None:
        """Its daemon too."""
        _run([self._pm2, "kill"], self.environment)


class Board(Protocol):
    """Another board of tasks, in a folder of its own, with `QUESTS` of them."""

    lister: str
    listing: list[str]
    folder: str
    environment: dict[str, str]


class Backlog:
    """From npm: a Markdown file for each task."""

    lister = "backlog board"

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.environment = {"PATH": os.environ["PATH"], "HOME": folder}
        program = _npm("backlog.md", folder, "backlog")
        init = [program, "init", "bench", "--defaults", "--no-git", "--integration-mode", "none"]
        _run(init, self.environment, folder)
        for number in range(1, QUESTS + 1):
            with open(f"{folder}/backlog/tasks/task-{number} - quest-{number}.md", "w", encoding="utf-8") as file:
                file.write(
                    f"---\nid: TASK-{number}\ntitle: quest {number}\nstatus: To Do\nassignee: []\n"
                    "created_date: '2026-01-01 00:00'\nlabels: []\ndependencies: []\n---\n"
                )
        self.listing = [program, "board"]


class TaskMaster:
    """From npm: one JSON file of all tasks."""

    lister = "task-master list"

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.environment = {"PATH": os.environ["PATH"], "HOME": folder}
        program = _npm("task-master-ai", folder, "task-master")
        tasks = [
            {
                "id": number,
                "title": f"quest {number}",
                "description": "true",
                "status": "pending",
                "dependencies": [],
                "priority": "medium",
                "subtasks": [],
            }
            for number in range(1, QUESTS + 1)
        ]
        os.makedirs(f"{folder}/.taskmaster/tasks")
        for name, value in {"config": {}, "tasks/tasks": {"master": {"tasks": tasks, "metadata": {}}}}.items():
            with open(f"{folder}/.taskmaster/{name}.json", "w", encoding="utf-8") as file:
                json.dump(value, file)
        self.listing = [program, "list"]


class Unreachable(Exception):
    """A peer can't be had here; why."""


def measure(product: Product, folder: str) -> Iterator[Row]:
    for make in (Supervisord, Pm2):
        inner = tempfile.mkdtemp(prefix="peer-", dir=folder)
        try:
            peer: Peer = make(inner)
        except Unreachable as missing:
            yield Skipped(f"peers: {make.__name__.lower()}", str(missing))
            continue
        yield _lists(product, peer)
        yield _starts(product, peer)
    yield from _boards(product, folder)


def _boards(product: Product, folder: str) -> Iterator[Row]:
    for make in (Backlog, TaskMaster):
        inner = tempfile.mkdtemp(prefix="peer-", dir=folder)
        try:
            board: Board = make(inner)
        except Unreachable as missing:
            yield Skipped(f"peers: {make.lister}", str(missing))
            continue
        yield _board(product, board)


def _board(product: Product, peer: Board) -> Figure:
    def theirs() -> float:
        began = time.perf_counter()
        shown = _run(peer.listing, peer.environment, peer.folder)
        took = time.perf_counter() - began
        if f"quest {QUESTS}" not in shown:
            raise RuntimeError(f"{peer.lister} does not show all tasks: {shown[:500]}")
        return took

    with product.home() as home:
        queue.queued(home, QUESTS)
        sides: dict[str, Side] = {
            "overmind board": lambda: duration([product.program, "board"], home.environment),
            peer.lister: theirs,
        }
        for side in sides.values():
            side()  # what is on the disk is in memory then
        ours, other = take_turns(sides, rounds=BOARDS).values()
    what = f"`overmind board`, {QUESTS:,} quests, cold, beside a peer"
    return at_most(what, ours, other, BOARD_GOAL, milliseconds)


@contextlib.contextmanager
def _running(peer: Peer) -> Iterator[float]:
    took = peer.start()
    try:
        yield took
    finally:
        peer.end()


def _lists(product: Product, peer: Peer) -> Figure:
    with product.home() as home, _running(peer):
        home.sleepers(COUNT)
        sides: dict[str, Side] = {
            "overmind ps": lambda: duration([product.program, "ps"], home.environment),
            peer.lister: lambda: duration(peer.listing, peer.environment),
        }
        for side in sides.values():
            side()  # what is on the disk is in memory then
        ours, theirs = take_turns(sides, rounds=LISTS).values()
    return at_most(f"`overmind ps`, {COUNT} missions, cold, beside a peer", ours, theirs, 1.0, milliseconds)


def _starts(product: Product, peer: Peer) -> Figure:
    def theirs() -> float:
        with _running(peer) as took:
            return COUNT / took

    sides = {"overmind": _ours(product), peer.name: theirs}
    mine, other = take_turns(sides, rounds=STARTS).values()
    return at_least(f"start {COUNT} × `sleep`, beside a peer", mine, other, 1.0, per_second)


def _ours(product: Product) -> Callable[[], float]:
    def side() -> float:
        with product.home() as home, contextlib.closing(home.connect()) as api:
            _, took = api.timed("run", [home.mission(["sleep", "100000"])] * COUNT)
        return COUNT / took

    return side


def _install(argv: Sequence[str]) -> None:
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        raise Unreachable(f"{' '.join(argv[-2:])} took too long") from None
    if done.returncode:
        raise Unreachable((done.stderr.strip().splitlines() or ["it can't be installed"])[-1])


def _npm(package: str, folder: str, program: str) -> str:
    """Install a package; return its program."""
    npm = shutil.which("npm")
    if npm is None:
        raise Unreachable("npm is not installed")
    _install([npm, "install", "--silent", "--no-audit", "--no-fund", "--prefix", folder, package])
    return f"{folder}/node_modules/.bin/{program}"


def _run(argv: Sequence[str], environment: dict[str, str], folder: str | None = None) -> str:
    """What a command printed, whatever its status; without a terminal."""
    done = subprocess.run(
        argv, env=environment, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE,
        check=False,
    )  # fmt: skip
    return done.stdout
