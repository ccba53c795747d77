"""A plan of 1,000 agents that do nothing, wide, deep and as a lattice; beside `make -j` and ninja (PyPI)."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from bench.figures import Figure, Rounds, Row, Skipped, at_most, milliseconds, take_turns
from bench.product import Api, Home, Product
from bench.sizes import choose_size

COUNT = choose_size(1000, smoke=10)
LAYER = choose_size(25, smoke=5)
"""Agents of the lattice that stand side by side; each depends on two of the layer before."""
ROUNDS = choose_size(3, smoke=1)
AT_ONCE = 8
"""Jobs of make and ninja, and agents of ours, that run at the same time."""
GOAL = 3.0
Edges = Mapping[str, Sequence[str]]


def measure(product: Product, folder: str) -> Iterator[Row]:
    """One row for each shape and peer: seconds for each agent."""
    if shutil.which("make") is None:
        yield Skipped("plans", "make is not installed (apt-get install make)")
        return
    ninja = _ninja(folder)
    if ninja is None:
        yield Skipped("plans beside ninja", "it can't be installed from PyPI")
    for shape, edges in SHAPES.items():
        where = os.path.join(folder, f"plan-{shape.partition(' ')[0]}")
        os.makedirs(where, exist_ok=True)
        sides = {"overmind": planned(product, edges), "make": made(where, edges())}
        if ninja is not None:
            sides["ninja"] = _theirs([ninja, "-C", _ninja_file(where, edges()), "-j", str(AT_ONCE), "--quiet"])
        taken = take_turns(sides, rounds=ROUNDS)
        ours = taken.pop("overmind")
        for name, theirs in taken.items():
            yield _row(shape, ours, theirs, goal=GOAL if name == "make" else None)


def _row(shape: str, ours: Rounds, theirs: Rounds, *, goal: float | None) -> Figure:
    what = f"a plan of {COUNT:,} × `true`, {shape}: for each agent"
    figure = at_most(what, ours, theirs, goal or GOAL, milliseconds)
    return figure if goal is not None else figure._replace(goal="", met=True)


def wide() -> Edges:
    """None depends on another."""
    return {f"a{number}": () for number in range(COUNT)}


def deep(count: int = COUNT) -> Edges:
    """Each depends on the one before."""
    return {f"a{number}": (f"a{number - 1}",) if number else () for number in range(count)}


def _lattice() -> Edges:
    def above(number: int) -> tuple[str, ...]:
        layer, place = divmod(number, LAYER)
        return tuple(f"a{(layer - 1) * LAYER + (place + step) % LAYER}" for step in (0, 1)) if layer else ()

    return {f"a{number}": above(number) for number in range(COUNT)}


SHAPES: dict[str, Callable[[], Edges]] = {
    f"wide ({AT_ONCE} at once)": wide,
    "deep (one after the other)": deep,
    f"lattice (layers of {LAYER}, {AT_ONCE} at once)": _lattice,
}


def planned(product: Product, edges: Callable[[], Edges]) -> Callable[[], float]:
    """A side: seconds for each agent of a plan, from the request to the end of the plan."""

    def round_() -> float:
        with product.home(keeps_files=True) as home, contextlib.closing(home.connect()) as api:
            return run(api, home, edges()) / COUNT

    return round_


def run(api: Api, home: Home, edges: Edges) -> float:
    """Run a plan; return its seconds."""
    request = {"blueprint": _blueprint(edges), "cwd": "/", "env": home.environment}
    began = time.perf_counter()
    plan = api.call("apply", request)["id"]
    (end,) = api.until_ended([plan])
    took = time.perf_counter() - began
    _check(end, api.call("plan", {"id": plan}), home, len(edges))
    return took


def _blueprint(edges: Edges) -> dict[str, Any]:
    agents = [
        {
            "name": name,
            "start": {"command": ["true"], "cwd": "/", "tty": False},
            "depends_on": [{"agent": other} for other in others],
        }
        for name, others in edges.items()
    ]
    return {"name": "bench", "agents": agents, "max_parallel": AT_ONCE}


def _check(end: Mapping[str, Any], plan: Mapping[str, Any], home: Home, count: int) -> None:
    if end["exit_code"] != 0 or plan["counts"]["succeeded"] != count:
        raise RuntimeError(f"the plan did not succeed: {plan['counts']} {home.command('logs', plan['id'])[-2000:]}")


def made(where: str, edges: Edges) -> Callable[[], float]:
    """A side: seconds for each target of a makefile."""
    path = os.path.join(where, "Makefile")
    with open(path, "w", encoding="utf-8") as file:
        file.write(f".PHONY: all {' '.join(edges)}\nall: {' '.join(edges)}\n")
        file.writelines(f"{name}: {' '.join(others)}\n\t@/bin/true\n" for name, others in edges.items())
    return _theirs(["make", "-s", "-f", path, f"-j{AT_ONCE}", "all"])


def _ninja_file(where: str, edges: Edges) -> str:
    with open(os.path.join(where, "build.ninja"), "w", encoding="utf-8") as file:
        file.write("rule nothing\n  command = true\n")
        file.writelines(f"build {name}: nothing {' '.join(others)}\n" for name, others in edges.items())
    return where


def _theirs(argv: Sequence[str]) -> Callable[[], float]:
    def round_() -> float:
        began = time.perf_counter()
        subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
        return (time.perf_counter() - began) / COUNT

    return round_


def _ninja(folder: str) -> str | None:
    """The program, in an environment of its own; None when it can't be had here."""
    where = os.path.join(folder, "ninja")
    subprocess.run([sys.executable, "-m", "venv", where], check=True)
    install = [os.path.join(where, "bin", "python"), "-m", "pip", "install", "--quiet", "ninja"]
    done = subprocess.run(install, check=False, stderr=subprocess.DEVNULL, timeout=300)
    return None if done.returncode else os.path.join(where, "bin", "ninja")
