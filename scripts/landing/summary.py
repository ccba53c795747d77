"""The last lines of a landing: a row per target, what was skipped, the dearest tests, what is unsteady, the verdict."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from scripts.landing.execution import write_duration
from scripts.landing.unsteady import PATH, write_row

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scripts.landing.execution import Ended
    from scripts.landing.reports import Case, Cost
    from scripts.landing.targets import Plan
    from scripts.landing.unsteady import Row

DEAREST = 10
"""Tests that are named because they took longest."""
_TITLES = ("target", "exit", "tests", "skipped", "unsteady", "CPU s", "looks", "seconds")
_NONE = "–"


@dataclass(slots=True)
class Result:
    """A run of a target, and what it reported."""

    ended: Ended
    cases: Sequence[Case] = ()
    cost: Cost | None = None
    left_out: str | None = None
    """The reason why a whole engine was left out."""
    unsteady: list[Row] = field(default_factory=list)
    """Tests that failed here, and passed when tried again."""

    @property
    def skipped(self) -> Counter[str]:
        """So many tests were skipped for each reason."""
        return Counter(case.skipped or "no reason" for case in self.cases if case.skipped is not None)


def write_summary(
    results: Sequence[Result], plan: Plan, *, final: Sequence[str], listed: Sequence[Row], seconds: float
) -> Iterator[str]:
    """Return its lines.

    Args:
        results: Of all runs, second tries too, as they ended.
        plan: What was run, in which order.
        final: Reasons why the landing is refused, a sentence each; none: it lands.
        listed: Rows of the list of unsteady tests.
        seconds: The whole landing took so long.
    """
    order = [target for stage in plan.stages for lane in stage for target in lane]
    results = sorted(results, key=lambda result: order.index(result.ended.job.target))
    first = [result for result in results if not result.ended.job.again]
    yield from _write_table([_TITLES, *(_row(result) for result in results)])
    skipped = [line for result in first for line in _write_skipped(result)]
    yield from _write_section("Skipped", skipped)
    yield from _write_section("Dearest tests", _write_dearest(first))
    rows = [row for result in results for row in result.unsteady]
    yield from _write_section(
        f"Unsteady: they passed only the second time. Add to {PATH}", [write_row(row) for row in rows], indent=""
    )
    dates = {row.name: row.date for row in listed}
    yield from (f"Listed already since {dates[row.name]}: {row.name}" for row in rows if row.name in dates)
    yield ""
    yield from (f"Red: {reason}" for reason in final)
    verdict = f"{plan.verdicts[bool(final)]} after {write_duration(seconds)}"
    yield f"{verdict}; the limit is {write_duration(plan.limit_seconds)}." if plan.limit_seconds else f"{verdict}."


def _row(result: Result) -> tuple[str, ...]:
    ended = result.ended
    target = ended.job.target
    budget = None if ended.job.again else target.budget_seconds
    cpu_seconds = result.cost.cpu_seconds if result.cost else ended.cpu_seconds
    seconds = f"{ended.seconds:.0f}"
    if budget:
        seconds += f" of {budget}{', over' * (ended.seconds > budget)}"
    reported = bool(result.cases)
    return (
        target.name + " again" * ended.job.again,
        str(ended.code),
        str(len({case.name for case in result.cases if case.skipped is None})) if reported else _NONE,
        str(result.skipped.total()) if reported else _NONE,
        str(len(result.unsteady)) if reported else _NONE,
        f"{cpu_seconds:.0f}",
        (result.cost and result.cost.looks) or _NONE,
        seconds,
    )


def _write_table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(_TITLES))]
    for first, *middle, last in rows:
        cells = [cell.rjust(width) for cell, width in zip(middle, widths[1:-1], strict=True)]
        yield "  ".join([first.ljust(widths[0]), *cells, last])


def _write_section(title: str, lines: Sequence[str], *, indent: str = "  ") -> Iterator[str]:
    if lines:
        yield ""
        yield f"{title}:"
        yield from (f"{indent}{line}" for line in lines)


def _write_skipped(result: Result) -> Iterator[str]:
    name = result.ended.job.target.name
    if result.left_out:
        yield f"{name}: all. {result.left_out}"
    for reason, number in result.skipped.most_common():
        yield f"{name}: {number} × {reason}"


def _write_dearest(results: Sequence[Result]) -> list[str]:
    seconds: defaultdict[str, float] = defaultdict(float)
    for case in (case for result in results for case in result.cases):
        seconds[case.name] += case.seconds
    dearest = sorted(seconds.items(), key=lambda one: -one[1])[:DEAREST]
    return [f"{took:6.1f} s  {name}" for name, took in dearest]
