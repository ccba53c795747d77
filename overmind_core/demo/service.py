"""A service that writes its log: quiet, then a burst, now and then an error; at most ten lines a second."""

from __future__ import annotations

import random
import signal
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from typing import NoReturn

from overmind_core.demo.colours import BLUE, CYAN, GREEN, GREY, RED, YELLOW, paint

GAP = 0.1
"""Seconds between two lines at least."""
QUIET = 0.9
"""Seconds between two requests in quiet times."""
BURST = 14
"""Requests in a row, every `EVERY`th time."""
EVERY = 12
PATHS = ("/", "/cart", "/products?page=2", "/products/17", "/checkout", "/api/prices", "/static/shop.css")
LEVELS = {"INFO": GREEN, "WARN": YELLOW, "ERROR": RED}
TRACE = (
    "Traceback (most recent call last):",
    '  File "checkout.py", line 31, in pay',
    "    receipt = till.print(total)",
    "TimeoutError: the till did not answer within 2 s",
)


def lines(chance: random.Random) -> Iterator[tuple[float, str, str]]:
    """Without an end: after how many seconds, the level, what is said."""
    turn = 0
    while True:
        turn += 1
        for _ in range(BURST if turn % EVERY == 0 else 1):
            yield GAP if turn % EVERY == 0 else QUIET * chance.uniform(0.5, 1.5), *_request(chance)
        if turn % (EVERY * 2) == EVERY:
            yield QUIET, "WARN", "cache is 91 % full, evicting entries"
        if turn % (EVERY * 3) == EVERY + 5:
            yield QUIET, "ERROR", "checkout failed, retry succeeded"
            yield from ((GAP, "", paint(line, GREY)) for line in TRACE)


def _request(chance: random.Random) -> tuple[str, str]:
    path = chance.choice(PATHS)
    status, colour = chance.choices(((200, GREEN), (304, BLUE), (404, YELLOW)), (12, 3, 1))[0]
    took = chance.randrange(2, 90)
    return "INFO", f"GET {path:<18} {paint(str(status), colour)} {paint(f'{took:>3} ms', GREY)}"


def line(moment: datetime, level: str, text: str) -> str:
    """As it is written; without a level it belongs to the line above."""
    if not level:
        return f"  {text}"
    stamp = f"{moment:%H:%M:%S}.{moment.microsecond // 1000:03}"
    return f"{paint(stamp, GREY)} {paint(f'{level:<5}', LEVELS[level])} {text}"


def _print_line(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _end(*_: object) -> NoReturn:
    _print_line(paint("the shop closes", CYAN))
    sys.exit(0)


def main() -> None:
    """Serve until somebody ends us."""
    signal.signal(signal.SIGTERM, _end)
    _print_line(paint("the shop opens", CYAN))
    for seconds, level, text in lines(random.Random()):  # noqa: S311 - decoration, no secret
        time.sleep(seconds)
        _print_line(line(datetime.now().astimezone(), level, text))


if __name__ == "__main__":
    main()
