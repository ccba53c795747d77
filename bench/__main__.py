"""`python -m bench`: measure everything side by side, print it, and put the table into bench/README.md."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from bench import sizes, table, tmux
from bench.figures import Row
from bench.product import Product
from bench.runs import Outcome, list_gaps, list_seconds, run_measurement

NAMES = (
    "ps", "spawn", "kill", "output", "idle", "recovery", "paint", "board", "groups", "frames", "ink", "logs",
    "transcripts", "replay",
    "resting", "echo", "agent_lines", "emulator", "sessions", "plans", "queue", "specs", "memory",
    "memory_speed", "cortex", "swarm", "hives", "pools", "guardian", "isolation", "peers", "web",
)  # fmt: skip
"""The `measure` of each module with rows, in the order of the table."""


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"some of: {' '.join(NAMES)}; all by default")
    parser.add_argument("--keep-table", action="store_true", help="leave bench/README.md as it is")
    parser.add_argument("--rows", action="store_true", help="put the rows of the named ones into the table")
    parser.add_argument("--smoke", action="store_true", help="see whether each runs, with tiny sizes; keep the table")
    options = parser.parse_args(words)
    unknown = sorted(set(options.names) - set(NAMES))
    if unknown:
        parser.error(f"there is no measurement {unknown[0]!r}; there are: {' '.join(NAMES)}")
    if not tmux.is_there():
        print(tmux.MISSING, file=sys.stderr)
        return 1
    if options.smoke:
        os.environ[sizes.SMOKE] = "1"
    machine = table.machine()  # its load before we are a part of it
    outcomes = measured(options.names or NAMES)
    gaps = list_gaps(outcomes)
    print("\n".join(["", list_seconds(outcomes), *gaps]), flush=True)
    if not options.names and not options.keep_table and not options.smoke:
        figures = [figure for one in outcomes for figure in one.figures]
        whole = table.markdown(figures, command="make bench", machine=machine, gaps=gaps)
        table.rewrite(lambda _: whole)
    elif options.rows and not options.smoke:
        rows = [figure for one in outcomes for figure in one.figures]
        table.rewrite(lambda found: table.with_rows(found, rows, names=options.names, machine=machine))
    return 1 if any(one.failure for one in outcomes) else 0


def measured(names: Sequence[str]) -> list[Outcome]:
    """Carry measurements out, one after the other, and print each row as it comes."""
    with tempfile.TemporaryDirectory(prefix="overmind-bench-") as folder:
        print("Installing the product …", flush=True)
        product = Product(folder)
        return [run_measurement(name, partial(_measure, name, product, folder), _show) for name in names]


def _measure(name: str, product: Product, folder: str) -> Iterable[Row]:
    """Load it now, not before: it chooses its sizes then."""
    measure: Callable[[Product, str], Iterable[Row]] = importlib.import_module(f"bench.{name}").measure
    return measure(product, folder)


def _show(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
