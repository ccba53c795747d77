"""The table of figures: for the terminal, and in bench/README.md between two marks."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from collections.abc import Sequence

from bench.figures import Figure

README = os.path.join(os.path.dirname(os.path.abspath(__file__)), "README.md")
BEGIN = "<!-- figures: begin -->"
END = "<!-- figures: end -->"
HEAD = ("what", "Overmind", "beside it", "ratio", "goal", "met")


def markdown(figures: Sequence[Figure], *, command: str, machine: str, gaps: Sequence[str] = ()) -> str:
    """The table with the command that made it, the machine that it was made on, and what is not in it."""
    rows = [[*figure[:-1], "yes" if figure.met else "**no**"] for figure in figures]
    lines = [f"| {' | '.join(cells)} |" for cells in (HEAD, ["---"] * len(HEAD), *rows)]
    missing = ["", "Not in this table:", "", *(f"* {gap}" for gap in gaps)] if gaps else []
    return "\n".join([f"Made by `{command}` on {machine}.", "", *lines, *missing])


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


def replaced(document: str, table: str) -> str:
    """The document with another table between its marks.

    Raises:
        ValueError: the marks are not there.
    """
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"no place for the table: {BEGIN} … {END}")
    return f"{before}{BEGIN}\n{table}\n{END}{after}"


def write(table: str) -> None:
    """Put the table into bench/README.md."""
    with open(README, encoding="utf-8") as file:
        document = file.read()
    with open(README, "w", encoding="utf-8") as file:
        file.write(replaced(document, table))
