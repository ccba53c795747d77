"""The list of unsteady tests, `.ci/unsteady`: a row for each that failed and passed when tried again.

    python3 -m scripts.landing.unsteady judge [DATE]   exit 1 when the list is too long, too old, or has a name again
    python3 -m scripts.landing.unsteady repeat         run each listed test 20 times

A landing is never refused for the list. The nightly run is red for it.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import defaultdict
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

PATH = ".ci/unsteady"
MOST_ROWS = 5
MOST_DAYS = 14
"""A row may be so old; a name that comes back within this time was not mended."""
TIMES = 20
"""Runs of a listed test at night."""
REPEATED = "OVERMIND_TEST_REPEATED"
"""Variable with the names, one a line, that `scripts.landing.repetition` repeats."""
_ROW = re.compile(
    r"(?P<name>[^\s\[]+(?:\[.*\])?) \| (?P<date>\d{4}-\d\d-\d\d) \| (?P<message>.*) \| (?P<seed>-|\S+=\d+)"
)
_LONGEST_MESSAGE = 160


class Row(NamedTuple):
    """One row of the list."""

    name: str
    """pytest's own, such as `tests/core/test_it.py::test_it[a]`."""
    date: date
    message: str
    """First line of its first failure."""
    seed: str = ""
    """The setting that repeats its random choices; empty: it printed none."""


def write_row(row: Row) -> str:
    """Return a line of the list."""
    message = row.message if len(row.message) <= _LONGEST_MESSAGE else f"{row.message[:_LONGEST_MESSAGE]}…"
    return f"{row.name} | {row.date.isoformat()} | {message} | {row.seed or '-'}"


def read_row(line: str) -> Row | None:
    """Return the row of a line, or None when it is none."""
    found = _ROW.fullmatch(line.strip())
    if not found:
        return None
    try:
        listed = date.fromisoformat(found["date"])
    except ValueError:
        return None
    return Row(found["name"], listed, found["message"], "" if found["seed"] == "-" else found["seed"])


def read_rows(text: str) -> tuple[list[Row], list[str]]:
    """Return the rows of the list, and its lines that are none; `#` begins a line for people."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    read = [(line, read_row(line)) for line in lines]
    return [row for _, row in read if row], [line for line, row in read if not row]


def judge(
    rows: Sequence[Row], wrong_lines: Iterable[str] = (), *, earlier: Iterable[Row] = (), today: date
) -> list[str]:
    """Return what is wrong with the list, a sentence each.

    Args:
        rows: Of the list.
        wrong_lines: Lines of it that are no rows.
        earlier: Rows that were added at any time, from its history; those of the list may be among them.
        today: Decides about ages.
    """
    found = [f"This line is no row: {line}" for line in wrong_lines]
    if len(rows) > MOST_ROWS:
        found.append(f"The list has {len(rows)} rows, {MOST_ROWS} at most are allowed.")
    for row in rows:
        days = (today - row.date).days
        if days > MOST_DAYS:
            found.append(f"{row.name} is listed since {row.date}, {days} days.")
        if days < 0:
            found.append(f"{row.name} has a date that is not there yet: {row.date}.")
    return found + list(_returned(rows, earlier))


def _returned(rows: Sequence[Row], earlier: Iterable[Row]) -> Iterator[str]:
    dates: dict[str, list[date]] = defaultdict(list)
    for row in rows:
        dates[row.name].append(row.date)
    for row in earlier:
        if row.name in dates and row.date not in dates[row.name]:
            dates[row.name].append(row.date)
    for name, listed in dates.items():
        if any((later - sooner).days <= MOST_DAYS for sooner, later in pairwise(sorted(listed))):
            found = ", ".join(str(day) for day in sorted(listed))
            yield f"{name} is listed twice within {MOST_DAYS} days: {found}."


def find_target(name: str) -> str:
    """Return the target of the Makefile that runs a test: its folder decides."""
    match name.split("/"):
        case ["tests", "engines", engine, *_]:
            return f"test-{engine}"
        case ["tests", "process", *_]:
            return "test-process"
    return "test"


def repeat(rows: Iterable[Row]) -> int:
    """Run each listed test many times, the tests of a target together; return how many targets were red."""
    targets: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        if row.name not in targets[find_target(row.name)]:
            targets[find_target(row.name)].append(row.name)
    red = 0
    for target, names in targets.items():
        files = sorted({name.partition("::")[0] for name in names})
        words = [f"TESTS={' '.join(files)}", "ARGS=-p scripts.landing.repetition"]
        environment = {**os.environ, REPEATED: "\n".join(names)}
        red += subprocess.run(["make", target, *words], env=environment, check=False).returncode != 0
    return red


def read_history(path: str) -> list[Row]:
    """Return the rows that were added to the list lately; none outside of a repository."""
    words = ["git", "log", f"--since={2 * MOST_DAYS}.days", "--format=", "--patch", "--unified=0", "--", path]
    lines = subprocess.run(words, capture_output=True, text=True, check=False).stdout.splitlines()
    return [row for line in lines if line.startswith("+") and (row := read_row(line[1:]))]


def main(words: Sequence[str]) -> int:
    """Judge the list, or repeat its tests."""
    with open(PATH, encoding="utf-8") as file:
        rows, wrong_lines = read_rows(file.read())
    match words:
        case ["judge", *dates] if len(dates) <= 1:
            today = date.fromisoformat(dates[0]) if dates else datetime.now(UTC).date()
            found = judge(rows, wrong_lines, earlier=read_history(PATH), today=today)
            sys.stdout.writelines(f"{PATH}: {one}\n" for one in found)
            return bool(found)
        case ["repeat"]:
            return bool(repeat(rows))
    sys.stderr.write(f"{__doc__}")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
