"""The table of figures: for the terminal, and in bench/README.md between two marks."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from collections.abc import Callable, Sequence

from bench.figures import Figure

README = os.path.join(os.path.dirname(os.path.abspath(__file__)), "README.md")
BEGIN = "<!-- figures: begin -->"
END = "<!-- figures: end -->"
AGAIN = "; measured again: "
HEAD = ("what", "Overmind", "beside it", "ratio", "goal", "met")


def markdown(figures: Sequence[Figure], *, command: str, machine: str, gaps: Sequence[str] = ()) -> str:
    """The table with the command that made it, the machine that it was made on, and what is not in it."""
    lines = [*map(_line, (HEAD, ["---"] * len(HEAD))), *map(_row, figures)]
    missing = ["", "Not in this table:", "", *(f"* {gap}" for gap in gaps)] if gaps else []
    return "\n".join([f"Made by `{command}` on {machine}.", "", *lines, *missing])


def _row(figure: Figure) -> str:
    return _line((*figure[:-1], "yes" if figure.met else "**no**"))


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def with_rows(table: str, figures: Sequence[Figure], *, names: Sequence[str], machine: str) -> str:
    """The table with rows measured anew: each in the place of the row of its name, a new one behind the one before it.

    Args:
        table: As `markdown` or this function has made it.
        figures: The rows, in their order.
        names: The measurements that gave them.
        machine: As `machine` has it.
    """
    lines = table.split("\n")
    last = max(at for at, line in enumerate(lines) if line.startswith("| "))
    for figure in figures:
        named = [at for at, line in enumerate(lines) if line.startswith(f"| {figure.what} |")]
        if named:
            last = named[0]
            lines[last] = _row(figure)
        else:
            last += 1
            lines.insert(last, _row(figure))
    made, *again = lines[0].removesuffix(".").split(AGAIN)
    again = [one for one in again if not set(one.split("`")[1].split()) <= set(names)]
    lines[0] = AGAIN.join([made, *again, f"`{' '.join(names)}` on {machine}."])
    return "\n".join(lines)


def plain(figure: Figure) -> str:
    """One row as it is printed when it is done."""
    beside = f", {figure.beside}" if figure.beside else ""
    ratio = f": {figure.ratio.replace('**', '')}" if figure.ratio else ""
    goal = f" (goal {figure.goal}: {'met' if figure.met else 'NOT MET'})" if figure.goal else ""
    return f"{figure.what}: {figure.ours}{beside}{ratio}{goal}"


def machine() -> str:
    """What the figures depend on, in words."""
    tmux = subprocess.run(["tmux", "-V"], capture_output=True, text=True, check=True).stdout.strip()
    date = time.strftime("%Y-%m-%d", time.gmtime())
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    system = f"{platform.system()} {platform.release().split('-')[0]}"
    load = f"load average {os.getloadavg()[0]:.1f}"
    return f"{date}, {cores} cores, {load}, {system}, Python {platform.python_version()}, {tmux}"


def replaced(document: str, change: Callable[[str], str]) -> str:
    """The document with another table between its marks.

    Raises:
        ValueError: the marks are not there.
    """
    before, begin, rest = document.partition(f"{BEGIN}\n")
    table, end, after = rest.partition(f"\n{END}")
    if not begin or not end:
        raise ValueError(f"no place for the table: {BEGIN} … {END}")
    return f"{before}{begin}{change(table)}{end}{after}"


def rewrite(change: Callable[[str], str]) -> None:
    """Put another table into bench/README.md, made of the one there."""
    with open(README, encoding="utf-8") as file:
        document = file.read()
    with open(README, "w", encoding="utf-8") as file:
        file.write(replaced(document, change))
