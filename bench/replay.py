"""`overmind replay` of 200 MB: the screen of a place of the output, certain, of a full-screen program and of lines.

In processor time: all of it is drawing, and what is read is in the kernel's memory.
"""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections.abc import Iterator

from bench.figures import Figure, milliseconds
from bench.product import Product
from bench.sizes import choose_size
from overmind_core.logs.layout import OUT, SEGMENT, data_name
from overmind_core.logs.reader import RunLog
from overmind_core.logs.screen_history import Place, ScreenHistory

SIZE = choose_size(200_000_000, smoke=4_000_000)
COLUMNS, ROWS = 120, 40
REPAINT = 300
"""Frames after which the full-screen program paints all."""
PLACES = choose_size(30, smoke=3)
GOAL = 0.200
"""Seconds."""


def measure(product: Product, folder: str) -> list[Figure]:
    del product
    return [
        figure
        for what, pieces in (("a full-screen program", _frames()), ("lines", _lines()))
        for figure in _figures(what, _write(tempfile.mkdtemp(dir=folder), pieces))
    ]


def _figures(what: str, path: str) -> list[Figure]:
    log = RunLog(path)
    chance = random.Random(1)
    end = log.end[OUT]
    cold, history = _seconds(log, end)
    places = sorted(_seconds(log, chance.randrange(end), history)[0] for _ in range(PLACES))
    middle, last = places[len(places) // 2], places[-1]
    return [
        Figure(
            f"replay of {end / 1e6:.0f} MB of {what}: the screen of a place, processor time, median of {PLACES}",
            f"{milliseconds(middle)} (slowest {milliseconds(last)}; the first, which reads the settings before it, "
            f"{cold:.1f} s)",
            "",
            "",
            f"≤ {milliseconds(GOAL)}",
            middle <= GOAL,
        )
    ]


def _seconds(log: RunLog, offset: int, history: ScreenHistory | None = None) -> tuple[float, ScreenHistory]:
    began = time.process_time()
    history = history or ScreenHistory(log, COLUMNS, ROWS, [])
    tail = history.certain_screen_at(Place(offset))
    spent = time.process_time() - began
    assert tail.is_certain()
    return spent, history


def _frames() -> Iterator[bytes]:
    """Frames of a program that paints words here and there, and everything at times."""
    chance = random.Random(2)
    yield b"\x1b[?1049h\x1b[1;40r\x1b(B\x1b[m\x1b[?7h"
    for number in range(REPAINT * 10):
        frame = [b"\x1b[?2026h\x1b[?25l"]
        if number % REPAINT == 0:
            frame.append(b"\x1b[H\x1b[2J")
        for _ in range(20):
            y, x = chance.randint(1, ROWS), chance.randint(1, COLUMNS - 8)
            word = chance.randint(31, 37), chance.randrange(10**6)
            frame.append(b"\x1b[%d;%dH\x1b[%dm%d\x1b(B\x1b[m" % (y, x, *word))
        yield b"".join([*frame, b"\x1b[?25h\x1b[?2026l"])


def _lines() -> Iterator[bytes]:
    for number in range(30_000):
        yield b"\x1b[32mINFO\x1b[0m line %07d of a log, with some words in it: GET /users 200 12 ms\r\n" % number


def _write(folder: str, pieces: Iterator[bytes]) -> str:
    """Write the pieces again and again, as a keeper leaves them."""
    block = b"".join(pieces)
    body = block * (SIZE // len(block) + 1)
    for start in range(0, SIZE, SEGMENT):
        with open(os.path.join(folder, data_name(OUT, start)), "wb") as file:
            file.write(body[start : min(start + SEGMENT, SIZE)])
    return folder
