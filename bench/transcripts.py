"""`overmind search --transcripts`, cold, over 1,000 transcripts, beside a Python that finds a word in the same bytes.

In processor time, of both of its processes: that is the same whatever else the machine does.

Half of them are recorded runs of `claude`, a quarter is a program of the Agent Client Protocol, whose words come in
pieces, and a quarter is a plain program on a terminal, in colours.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import sqlite3
import time
from collections.abc import Callable, Iterator

from bench.agent_lines import RECORDED
from bench.figures import Figure, Rounds, milliseconds, spread, take_turns
from bench.processes import processor_time
from bench.product import Home, Product
from bench.sizes import choose_size
from overmind_core.logs.layout import OUT, data_name, index_name
from overmind_core.logs.time_index import pack

COUNT = choose_size(1_000, smoke=20)
SIZES = choose_size((32_000, 128_000), smoke=(4_000,))
"""Bytes of a transcript."""
GOAL = 0.2
"""Processor seconds, of the smaller ones."""
ROUNDS = choose_size(7, smoke=1)
RARE, COMMON, ABSENT = "quokkas", "limiter", "zyzzyva"
"""In one transcript, in each, and in none."""
_RECORDED = ("session", "tool", "failed_tool", "session_questions")
_TEXT = (
    "the limiter counts each request before the server answers and a test reads its window from the configuration "
    "so that nobody waits longer than they have to while another process writes to the same table"
)
_SCAN = """
import os, sys
needle = sys.argv[2].encode()
for folder, _, names in os.walk(sys.argv[1]):
    for name in names:
        if name.startswith("out."):
            with open(os.path.join(folder, name), "rb") as file:
                needle in file.read().lower()
"""


def measure(product: Product, folder: str) -> Iterator[Figure]:
    del folder
    for size in SIZES:
        with product.home() as home:
            _fill(home, size)
            yield from _rows(home, size)


def _rows(home: Home, size: int) -> Iterator[Figure]:
    goal = f"≤ {milliseconds(GOAL)}" if size == min(SIZES) else ""
    for what, word in (("a word of one of them", RARE), ("a word of each", COMMON), ("a word of none", ABSENT)):
        taken = take_turns({"ours": _searching(home, word), "scan": _scanning(home, word)}, rounds=ROUNDS)
        ours, theirs = taken["ours"], taken["scan"]
        searched = f"`overmind search --transcripts`, {COUNT:,} transcripts ({COUNT * size / 1e6:.0f} MB)"
        yield _row(f"{searched}, processor time: {what}", ours, theirs, goal)


def _row(what: str, ours: Rounds, theirs: Rounds, goal: str) -> Figure:
    beside = f"a Python that reads them and finds it {milliseconds(theirs.median)}"
    return Figure(what, milliseconds(ours.median), beside, spread(ours, theirs), goal, not goal or ours.median <= GOAL)


def _searching(home: Home, word: str) -> Callable[[], float]:
    return lambda: processor_time([home.product.program, "search", "--transcripts", word], home.environment)


def _scanning(home: Home, word: str) -> Callable[[], float]:
    argv = [home.product.python, "-c", _SCAN, os.path.join(home.path, "logs"), word]
    return lambda: processor_time(argv, home.environment)


# the home


def _fill(home: Home, size: int) -> None:
    """Have the home hold ended missions with logs: copies of a real one, in the database of a daemon at rest."""
    with contextlib.closing(home.connect()) as api:
        model = api.call("run", home.mission(["true"]))["id"]
        api.until_ended([model])
    home.command("shutdown", "--yes")
    chance = random.Random(7)
    began = time.time() - COUNT * 60
    with contextlib.closing(sqlite3.connect(os.path.join(home.path, "state.db"))) as database, database:
        for number in range(COUNT):
            provider, tty = (("claude", False), ("gemini", False), ("claude", False), ("raw", True))[number % 4]
            text = _TEXTS[provider](chance, size, f"{RARE} " if number == COUNT // 2 else "")
            at = began + number * 60
            _add_mission(database, model, number, provider, at, tty=tty, size=len(text))
            _write_log(os.path.join(home.path, "logs", f"{number:08x}", f"{1:06d}"), text, at)
    home.command("start")


def _add_mission(
    database: sqlite3.Connection, model: str, number: int, provider: str, at: float, *, tty: bool, size: int
) -> None:
    mission, name = f"{number:08x}", f"m{number:05}"
    for table, key in (("missions", "id"), ("runs", "mission")):
        cursor = database.execute(f"SELECT * FROM {table} WHERE {key} = ?", (model,))
        names = [one[0] for one in cursor.description]
        row = dict(zip(names, cursor.fetchone(), strict=True))
        stored = "record" if table == "missions" else "state"
        record = json.loads(row[stored])
        if table == "missions":
            row |= {"id": mission, "name": name, "provider": provider, "request": None, "created_at": at}
            record |= {"id": mission, "created_at": at}
            record["definition"] |= {"name": name, "provider": provider, "tty": tty}
        else:
            row |= {"id": f"{mission}.1", "mission": mission, "started_at": at, "ended_at": at + 30}
            record |= {"mission": mission, "started_at": at, "ended_at": at + 30, "tty": tty, "out": size}
        row[stored] = json.dumps(record)
        marks = ", ".join("?" * len(row))
        database.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", tuple(row.values()))
    if not tty:
        text = f"[human] look at the limiter, number {number}"
        said = {"type": "prompt", "mission": mission, "name": name, "text": text, "run": 1, "out": 0, "err": 0}
        event = (at, "prompt", mission, f"{mission}.1", json.dumps({**said, "at": at}))
        database.execute("INSERT INTO events (at, type, mission, run, data) VALUES (?, ?, ?, ?, ?)", event)


def _write_log(folder: str, text: bytes, at: float) -> None:
    os.makedirs(folder)
    with open(os.path.join(folder, data_name(OUT, 0)), "wb") as file:
        file.write(text)
    with open(os.path.join(folder, index_name(0)), "wb") as file:
        began = int(at * 1000)
        file.write(pack(began, 0, 0) + pack(began, 0, 1))
        file.writelines(pack(began + step * 300, len(text) * step // 100, OUT) for step in range(1, 101))
    os.utime(os.path.join(folder, data_name(OUT, 0)), (at + 30, at + 30))


def _sentence(chance: random.Random) -> str:
    return " ".join(chance.choices(_TEXT.split(), k=12))


def _claude(chance: random.Random, size: int, more: str) -> bytes:
    lines: list[bytes] = []
    for name in _RECORDED:
        with open(os.path.join(RECORDED, "claude", f"{name}.ndjson"), "rb") as file:
            lines += file.read().splitlines()
    text: list[bytes] = []
    while sum(map(len, text)) < size:
        said = {
            "type": "assistant",
            "message": {"content": [{"type": "text", "text": f"{more}{_sentence(chance)} — done"}]},
        }
        text += [json.dumps(said, ensure_ascii=False).encode(), *chance.sample(lines, 8)]
    return b"\n".join(text) + b"\n"


def _pieces(chance: random.Random, size: int, more: str) -> bytes:
    def update(**content: object) -> bytes:
        params = {"sessionId": "0b9a7c1e-6d2f-4b8a-9e53-1f0c2d3e4a5b", "update": content}
        return json.dumps({"jsonrpc": "2.0", "method": "session/update", "params": params}).encode()

    lines = [b'{"jsonrpc":"2.0","id":"open","result":{"protocolVersion":1}}']
    length = 0
    while length < size:
        said = f"{more}{_sentence(chance)}.\n"
        for at in range(0, len(said), 5):
            content = {"type": "text", "text": said[at : at + 5]}
            lines.append(update(sessionUpdate="agent_message_chunk", content=content))
            length += len(lines[-1]) + 1
    return b"\n".join([*lines, b'{"jsonrpc":"2.0","id":"m1","result":{"stopReason":"end_turn"}}', b""])


def _coloured(chance: random.Random, size: int, more: str) -> bytes:
    lines: list[str] = []
    while sum(map(len, lines)) < size:
        lines.append(f"\x1b[32m12:41:10\x1b[0m \x1b[1mINFO\x1b[0m {more}{_sentence(chance)}\r\n")
    return "".join(lines).encode()


_TEXTS: dict[str, Callable[[random.Random, int, str], bytes]] = {"claude": _claude, "gemini": _pieces, "raw": _coloured}
