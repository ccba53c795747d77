"""Named hives, without any server: lists over gates, and over a real sshd a key's echo and the bytes of a log."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import subprocess
import time
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bench.echo import ECHO, KEYS, collect, p50_p99, shown
from bench.figures import Figure, Row, Skipped, at_least, at_most, megabytes_per_second, milliseconds, take_turns
from bench.processes import duration
from bench.product import Home, Product
from bench.screen import has_text, screen
from bench.sizes import choose_size
from overmind_core.client.client import Client
from overmind_core.system.paths import Home as Layout
from overmind_tui.hives.clients import RequestClients
from overmind_tui.hives.place import HivePlace
from tests.kit import sshd

HIVES, LISTED = choose_size((5, 1000), smoke=(2, 3))
PORTION = 1000
LIST_ROUNDS = choose_size(7, smoke=1)
OPEN_ROUNDS = choose_size(30, smoke=1)
COLD_GOAL, OPEN_GOAL = 4.0, 2.0
ECHO_GOAL = 1.5
SETTLE = choose_size(1.0, smoke=0.2)
LOG = choose_size(90 << 20, smoke=1 << 20)
"""Bytes: as many as a mission's log may have, or nearly so."""
LOG_ROUNDS = choose_size(7, smoke=1)
LOG_GOAL = 0.7
PATIENCE = 10.0
WHOLE = {"all": True, "wide": True}
"""The arguments of `ps` with which the full-screen program asks for all missions."""


def measure(product: Product, folder: str) -> Iterator[Row]:
    yield from _lists(product)
    if not sshd.AVAILABLE:
        yield Skipped("hives over ssh", sshd.MISSING)
        return
    with sshd.running(Path(folder, "sshd"), uuid.uuid4().hex) as server, product.home() as home, product.home() as hive:
        home.environment["PATH"] = f"{server.bin}:{home.environment['PATH']}"
        server.serve("eu1", f"{product.program} gate", {"OVERMIND_HOME": hive.path})
        Path(home.path, "config.toml").write_text('[hives.eu1]\nssh = "eu1"\n')
        yield _echo(server, home, hive)
        yield _log(server, home, hive, folder)


# lists


def _lists(product: Product) -> Iterator[Figure]:
    """`ps` of five hives at once, beside `ps` of as many missions of one home."""
    with contextlib.ExitStack() as stack:
        desk, full = (stack.enter_context(product.home(keeps_files=True)) for _ in range(2))
        gates = {}
        for number in range(HIVES):
            hive = stack.enter_context(product.home(keeps_files=True))
            _fill(hive, LISTED)
            gates[f"h{number}"] = ["env", f"OVERMIND_HOME={hive.path}", product.program, "gate"]
        tables = (f"[hives.{name}]\ngate = {json.dumps(argv)}\n" for name, argv in gates.items())
        config = Path(desk.path, "config.toml")
        config.write_text("".join(tables))
        _fill(full, HIVES * LISTED)
        beside = f"{HIVES} hives with {LISTED:,} missions each, beside as many at home"
        yield _cold_list(f"`ps -H` of {beside}, cold", desk, full, ",".join(gates))
        yield _open_list(f"a list of {beside}, over connections that are open", str(config), gates, full)


def _cold_list(what: str, desk: Home, full: Home, hives: str) -> Figure:
    words = [desk.product.program, "ps", "--all", "--json"]
    sides = {
        "gates": lambda: duration([*words, "-H", hives], desk.environment),
        "ps": lambda: duration(words, full.environment),
    }
    taken = take_turns(sides, rounds=LIST_ROUNDS)
    return at_most(what, taken["gates"], taken["ps"], COLD_GOAL, milliseconds)


def _open_list(what: str, config: str, gates: dict[str, list[str]], full: Home) -> Figure:
    """As the full-screen program holds gates open and asks all of them at once."""
    with contextlib.ExitStack() as stack:
        hives = []
        for name, argv in gates.items():
            place = HivePlace(name, argv, config=config)
            hives.append(RequestClients(place, PATIENCE))
            stack.callback(place.close)
            stack.callback(hives[-1].close)
        threads = stack.enter_context(ThreadPoolExecutor(HIVES))
        home = Client(Layout(full.path))
        stack.callback(home.close)

        def over_gates() -> float:
            began = time.perf_counter()
            answers = list(threads.map(lambda hive: hive.call_each("ps", [WHOLE])[0], hives))
            took = time.perf_counter() - began
            _check_rows([row for rows in answers for row in rows])
            return took

        def at_home() -> float:
            began = time.perf_counter()
            rows = home.call("ps", WHOLE)
            took = time.perf_counter() - began
            _check_rows(rows)
            return took

        over_gates(), at_home()  # which connect
        taken = take_turns({"gates": over_gates, "one connection at home": at_home}, rounds=OPEN_ROUNDS)
    return at_most(what, taken["gates"], taken["one connection at home"], OPEN_GOAL, milliseconds)


def _check_rows(rows: Sequence[Any]) -> None:
    if len(rows) != HIVES * LISTED:
        raise RuntimeError(f"a list of {HIVES * LISTED} missions has {len(rows)} rows")


def _fill(home: Home, count: int) -> None:
    """Have so many missions that have ended."""
    with contextlib.closing(home.connect()) as api:
        for _ in range(0, count, PORTION):
            started = api.call_each("run", [home.mission(["true"])] * min(count, PORTION))
            api.until_ended([one["id"] for one in started])


# over ssh


def _echo(server: sshd.Sshd, home: Home, hive: Home) -> Figure:
    """A key to its echo through `overmind attach`, beside the same program on a terminal of ssh itself."""
    with contextlib.closing(hive.connect()) as api:
        mission = api.call("run", {**hive.mission(ECHO), "type": "session"})["id"]
    server.serve("terminal", shlex.join(ECHO), {}, options="restrict,pty")
    with (
        screen([home.product.program, "attach", f"eu1/{mission}"], home.environment) as ours,
        screen([f"{server.bin}/ssh", "-tt", "terminal"], home.environment) as theirs,
    ):
        screens = {"overmind": ours, "ssh": theirs}
        for one in screens.values():
            one.until(has_text("ready"))
            one.watch(SETTLE)
        taken: dict[str, list[float]] = {name: [] for name in screens}
        collect(taken, screens, KEYS)
    (median, late), (their_median, their_late) = map(p50_p99, taken.values())
    return Figure(
        "a key to its echo through `overmind attach` over ssh", shown(taken["overmind"]), f"ssh {shown(taken['ssh'])}",
        f"**{median / their_median:.2f}×** (p50), **{late / their_late:.2f}×** (p99)", f"p50 ≤ {ECHO_GOAL:g}×",
        median <= ECHO_GOAL * their_median,
    )  # fmt: skip


def _log(server: sshd.Sshd, home: Home, hive: Home, folder: str) -> Figure:
    """All bytes of a log over ssh, beside those of a file; both share a connection that is there."""
    path = os.path.join(folder, "bytes")
    with open(path, "wb") as file:
        file.writelines(os.urandom(1 << 19).hex().encode() for _ in range(LOG >> 20))
    with contextlib.closing(hive.connect()) as api:
        mission = api.call("run", {**hive.mission(["cat", path]), "tty": False})["id"]
        api.until_ended([mission])
    server.serve("file", f"cat {path}", {})
    shared = ["-o", "ControlMaster=auto", "-o", f"ControlPath={server.folder}/shared", "-o", "ControlPersist=60"]
    ours = [home.product.program, "logs", "-H", "eu1", mission, "--raw"]
    theirs = [f"{server.bin}/ssh", *shared, "-T", "file"]
    size = os.path.getsize(path)
    for argv in (ours, theirs):
        _check_bytes(argv, home, path)
    sides = {
        "overmind": lambda: size / duration(ours, home.environment),
        "ssh cat": lambda: size / duration(theirs, home.environment),
    }
    taken = take_turns(sides, rounds=LOG_ROUNDS)
    what = f"`overmind logs -H --raw` of {size / 1e6:.0f} MB over ssh"
    return at_least(what, taken["overmind"], taken["ssh cat"], LOG_GOAL, megabytes_per_second)


def _check_bytes(argv: Sequence[str], home: Home, path: str) -> None:
    """Not one may be lost or doubled."""
    done = subprocess.run(argv, env=home.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True)
    if done.stdout != Path(path).read_bytes():
        raise RuntimeError(f"{' '.join(argv)} has printed other bytes")
