"""A flaky worker: its first runs crash after a few jobs; started again, it holds for a while."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator

from overmind_core.demo.colours import CYAN, GREEN, GREY, RED, YELLOW, paint

JOBS = (4, 6, 110)
"""How many jobs a run does before it crashes, by the number of the run; then from the front again."""
KINDS = ("resize photo", "send receipt", "count stock", "bake thumbnail", "index page")
QUEUE_LOST = 75
"""The exit code of a temporary failure. Source: sysexits.h, EX_TEMPFAIL."""
COUNT = "worker.runs"
"""The file, beside the folder that it works in, that counts its runs."""


def lines(run: int) -> Iterator[tuple[float, str]]:
    """What run number `run`, from 0, prints until it crashes: after how many seconds, and what."""
    jobs = JOBS[run % len(JOBS)]
    yield 0.2, f"{paint('worker', CYAN)} starts, run {run + 1}"
    for job in range(1, jobs + 1):
        kind = KINDS[(run + job) % len(KINDS)]
        took = 0.4 + 0.3 * ((job * 7 + run) % 4)
        yield took, f"{paint('✔', GREEN)} job {100 * run + job:<4} {kind:<15} {paint(f'{took:.1f} s', GREY)}"
    yield 0.5, paint("! the queue is not responding", YELLOW)
    yield 0.5, paint(f"✖ ConnectionResetError: the queue was lost after {jobs} jobs", RED)


def count(path: str) -> int:
    """How often this was called for the file before."""
    try:
        with open(path, encoding="utf-8") as file:
            before = int(file.read() or 0)
    except (OSError, ValueError):
        before = 0
    with open(path, "w", encoding="utf-8") as file:
        file.write(str(before + 1))
    return before


def work(run: int, say: Callable[[str], object], sleep: Callable[[float], object]) -> int:
    """Work until the crash; return the exit code."""
    for seconds, line in lines(run):
        sleep(seconds)
        say(line)
    return QUEUE_LOST


def _print_line(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Work as the next run."""
    sys.exit(work(count(os.path.join(os.path.dirname(os.getcwd()), COUNT)), _print_line, time.sleep))


if __name__ == "__main__":
    main()
