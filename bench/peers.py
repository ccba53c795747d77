"""A cold list of 100 processes, and 100 of them started, beside supervisord (PyPI) and pm2 (npm)."""

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

from bench.figures import Figure, Side, at_least, at_most, milliseconds, per_second, take_turns
from bench.processes import duration
from bench.product import Product

COUNT = 100
LISTS, STARTS = 15, 3
"""Rounds."""
PATIENCE = 300.0


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
        npm = shutil.which("npm")
        if npm is None:
            raise Unreachable("npm is not installed")
        _install([npm, "install", "--silent", "--no-audit", "--no-fund", "--prefix", folder, "pm2"])
        self._pm2 = f"{folder}/node_modules/.bin/pm2"
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


class Unreachable(Exception):
    """A peer can't be had here; why."""


def measure(product: Product, folder: str) -> list[Figure]:
    figures: list[Figure] = []
    for make in (Supervisord, Pm2):
        inner = tempfile.mkdtemp(prefix="peer-", dir=folder)
        try:
            peer: Peer = make(inner)
        except Unreachable as missing:
            print(f"{make.__name__.lower()}: skipped, {missing}", flush=True)
            continue
        figures += [_lists(product, peer), _starts(product, peer)]
    return figures


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


def _run(argv: Sequence[str], environment: dict[str, str]) -> str:
    """What a command printed, whatever its status."""
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False)
    return done.stdout
