"""The terminal in memory beside stock pyte: megabytes per second of processor time, and memory of a scrollback line.

Text is made from a fixed seed: lines of words, and the same with a colour for each word. 64 KiB is what a log is read
in, 4 KiB what a terminal hands over at once. Stock `Screen` keeps no scrollback, ours keeps 10,000 rows meanwhile.
"""

from __future__ import annotations

import gc
import gzip
import json
import random
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyte

from bench.figures import Figure, Side, at_least, take_turns
from bench.product import Product
from bench.sizes import choose_size
from overmind_core.terminal.screen import SCROLLBACK, Screen

COLUMNS, ROWS = 80, 24
CHUNKS = {"64 KiB": 1 << 16, "4 KiB": 1 << 12}
OURS_SIZE, STOCK_SIZE = choose_size((4_000_000, 400_000), smoke=(80_000, 8_000))
"""Bytes of a round: enough for some tenths of a second each."""
SPEED_ROUNDS, SCREENS_ROUNDS, SCREENS_TIMES = choose_size((5, 3, 5), smoke=(1, 1, 1))
"""How often, and how often in one round recorded sessions are drawn."""
PLAIN_GOAL, COLOURED_GOAL, SCREENS_GOAL = 15, 5, 4
MEMORY_GOAL = 450
"""Bytes of a scrollback line of 80 columns."""
RECORDINGS = Path(__file__).parents[1] / "tests" / "core" / "terminal" / "recordings"
Feed = Callable[[bytes], object]


def measure(product: Product, folder: str) -> list[Figure]:
    del product, folder  # the emulator is measured in this very process
    plain, coloured = text(OURS_SIZE, coloured=False), text(OURS_SIZE, coloured=True)
    speeds = [
        speed(f"emulator: {name} in pieces of {chunk}", data, size, goal)
        for name, data, goal in (("plain text", plain, PLAIN_GOAL), ("coloured words", coloured, COLOURED_GOAL))
        for chunk, size in CHUNKS.items()
    ]
    return [*speeds, screens(), memory("plain", plain), memory("coloured", coloured)]


def text(size: int, *, coloured: bool) -> bytes:
    """Lines of words of at most 80 columns."""
    chance = random.Random(1)
    words = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randint(3, 9))) for _ in range(500)]
    return b"".join(_lines(chance, words, size, coloured=coloured))


def _lines(chance: random.Random, words: list[str], size: int, *, coloured: bool) -> Iterator[bytes]:
    written = 0
    while written < size:
        picked = chance.choices(words, k=chance.randint(2, 8))
        if coloured:
            picked = [f"\x1b[{chance.randint(31, 37)}m{word}\x1b[0m" for word in picked]
        line = " ".join(picked).encode() + b"\r\n"
        written += len(line)
        yield line


def speed(what: str, data: bytes, chunk: int, goal: float) -> Figure:
    """Bytes per second of processor time, both sides in turns."""
    sides: dict[str, Side] = {
        "Overmind": lambda: _rate(_ours(), [data[at : at + chunk] for at in range(0, len(data), chunk)]),
        "pyte": lambda: _rate(_stock(), [data[at : at + chunk] for at in range(0, STOCK_SIZE, chunk)]),
    }
    rounds = take_turns(sides, rounds=SPEED_ROUNDS)
    return at_least(what, rounds["Overmind"], rounds["pyte"], goal, _shown)


def screens() -> Figure:
    """What htop, mc and top wrote in recorded sessions; others make stock pyte raise."""
    pieces = [piece for name in ("htop", "mc", "top") for piece in _recorded(name)] * SCREENS_TIMES
    sides: dict[str, Side] = {
        "Overmind": lambda: _rate(_ours(), pieces),
        "pyte": lambda: _rate(_stock(), pieces),
    }
    rounds = take_turns(sides, rounds=SCREENS_ROUNDS)
    return at_least("emulator: htop, mc and top, recorded", rounds["Overmind"], rounds["pyte"], SCREENS_GOAL, _shown)


def memory(name: str, data: bytes) -> Figure:
    """Bytes of each line kept, beside pyte's screen with a history."""
    ours, stock = Screen(COLUMNS, ROWS), pyte.HistoryScreen(COLUMNS, ROWS, history=SCROLLBACK, ratio=0.5)
    our_line = _memory(ours.feed, data) / len(ours.scrollback)
    stock_line = _memory(pyte.ByteStream(stock).feed, data[:STOCK_SIZE]) / len(stock.history.top)
    return Figure(
        f"emulator: memory of a {name} scrollback line",
        f"{our_line:,.0f} bytes",
        f"pyte with a history {stock_line:,.0f} bytes",
        f"**{our_line / stock_line:.2f}×**",
        f"≤ {MEMORY_GOAL} bytes",
        our_line <= MEMORY_GOAL,
    )


def _memory(feed: Feed, data: bytes) -> int:
    tracemalloc.start()
    feed(data)
    gc.collect()  # what the interpreter keeps of freed tuples belongs to no line
    used = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return used


def _recorded(name: str) -> list[bytes]:
    with gzip.open(RECORDINGS / f"{name}.jsonl.gz", "rt", encoding="utf-8") as file:
        events: list[Any] = [json.loads(line) for line in file][1:]
    return [value.encode("latin-1") for kind, value in events if kind == "o"]


def _ours() -> Feed:
    return Screen(COLUMNS, ROWS).feed


def _stock() -> Feed:
    return pyte.ByteStream(pyte.Screen(COLUMNS, ROWS)).feed


def _rate(feed: Feed, pieces: list[bytes]) -> float:
    began = time.process_time()
    for piece in pieces:
        feed(piece)
    return sum(map(len, pieces)) / (time.process_time() - began)


def _shown(rate: float) -> str:
    return f"{rate / 1e6:,.1f} MB/s"
