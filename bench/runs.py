"""One run of measurements, one after the other: the rows of each as they come, and what became of it."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from bench.figures import Figure, Row, Skipped
from bench.table import plain

NOTHING = "it gave no figure"
Measure = Callable[[], Iterable[Row]]


class Outcome(NamedTuple):
    """The rows of a measurement, and how it ended."""

    name: str
    figures: Sequence[Figure]
    skipped: Sequence[Skipped]
    failure: str
    """Why there are no more rows; "" when there are all."""
    seconds: float


def run_measurement(name: str, measure: Measure, show: Callable[[str], None]) -> Outcome:
    """Carry one out and show each row; what it raises ends it, not the run."""
    figures: list[Figure] = []
    skipped: list[Skipped] = []
    failure = ""
    began = time.perf_counter()
    try:
        for row in measure():
            if isinstance(row, Skipped):
                skipped.append(row)
                show(f"skipped: {row.what}: {row.why}")
            else:
                figures.append(row)
                show(plain(row))
    except Exception as error:  # noqa: BLE001 - an hour of other measurements is not lost with this one
        show(traceback.format_exc())
        failure = f"{type(error).__name__}: {error}".splitlines()[0]
    if not figures and not skipped and not failure:
        failure = NOTHING
    return Outcome(name, figures, skipped, failure, time.perf_counter() - began)


def list_gaps(outcomes: Sequence[Outcome]) -> list[str]:
    """Sentences about what was skipped, then about what failed."""
    skipped = [f"skipped: {row.what}: {row.why}" for one in outcomes for row in one.skipped]
    return skipped + [f"failed: {one.name}: {one.failure}" for one in outcomes if one.failure]


def list_seconds(outcomes: Sequence[Outcome]) -> str:
    """A sentence about the time that each measurement took."""
    total = sum(one.seconds for one in outcomes)
    return f"{total:,.0f} s: {', '.join(f'{one.name} {one.seconds:.0f} s' for one in outcomes)}"
