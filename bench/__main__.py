"""`python -m bench`: measure everything side by side, print it, and put the table into bench/README.md."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence

from bench import (
    agent_lines,
    board,
    cortex,
    echo,
    emulator,
    frames,
    guardian,
    hives,
    idle,
    isolation,
    kill,
    logs,
    memory,
    memory_speed,
    output,
    paint,
    peers,
    plans,
    pools,
    ps,
    queue,
    recovery,
    resting,
    sessions,
    spawn,
    specs,
    swarm,
    table,
    tmux,
    web,
)
from bench.figures import Figure
from bench.product import Product

MEASUREMENTS: dict[str, Callable[[Product, str], Iterable[Figure]]] = {
    "ps": ps.measure,
    "spawn": spawn.measure,
    "kill": kill.measure,
    "output": output.measure,
    "idle": idle.measure,
    "recovery": recovery.measure,
    "paint": paint.measure,
    "board": board.measure,
    "frames": frames.measure,
    "logs": logs.measure,
    "resting": resting.measure,
    "echo": echo.measure,
    "agent_lines": agent_lines.measure,
    "emulator": emulator.measure,
    "sessions": sessions.measure,
    "plans": plans.measure,
    "queue": queue.measure,
    "specs": specs.measure,
    "memory": memory.measure,
    "memory_speed": memory_speed.measure,
    "cortex": cortex.measure,
    "swarm": swarm.measure,
    "hives": hives.measure,
    "pools": pools.measure,
    "guardian": guardian.measure,
    "isolation": isolation.measure,
    "peers": peers.measure,
    "web": web.measure,
}


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"some of: {' '.join(MEASUREMENTS)}; all by default")
    parser.add_argument("--keep-table", action="store_true", help="leave bench/README.md as it is")
    options = parser.parse_args(words)
    unknown = sorted(set(options.names) - set(MEASUREMENTS))
    if unknown:
        parser.error(f"there is no measurement {unknown[0]!r}; there are: {' '.join(MEASUREMENTS)}")
    if not tmux.is_there():
        print(tmux.MISSING, file=sys.stderr)
        return 1
    figures = measured(options.names or list(MEASUREMENTS))
    if not options.names and not options.keep_table:
        table.write(table.markdown(figures, command="make bench", machine=table.machine()))
    return 0


def measured(names: Sequence[str]) -> list[Figure]:
    """Carry measurements out, one after the other, and print each row as it comes."""
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="overmind-bench-") as folder:
        print("Installing the product …", flush=True)
        product = Product(folder)
        for name in names:
            for figure in MEASUREMENTS[name](product, folder):
                print(table.plain(figure), flush=True)
                figures.append(figure)
    return figures


if __name__ == "__main__":
    sys.exit(main())
