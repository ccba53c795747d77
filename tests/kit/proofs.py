"""What the real programs of agents have proven: tests marked with `proves` passed with them. Kept in `PLACE`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from scripts.reference.proven import PLACE

PROPERTY = "proves"
"""Of a report."""


class Proof(NamedTuple):
    """One line of the file."""

    program: str
    capability: str
    test: str
    """File and function."""


def claimed(item: pytest.Item) -> Iterator[Proof]:
    """Yield what a test proves where it passes: nothing with a stand-in."""
    values = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
    program = values.get("provider") or values.get("program", "claude" if item.get_closest_marker("claude") else None)
    if program in {None, "stand-in"}:
        return
    test = item.nodeid.partition("[")[0]
    for mark in item.iter_markers("proves"):
        yield Proof("claude" if program == "real" else str(program), mark.args[0], test)


def read() -> list[Proof]:
    """Return the lines of the file."""
    return [Proof(*line.split("\t")) for line in Path(PLACE).read_text(encoding="utf-8").splitlines()]


class Recorder:
    """Writes the file as a run ends: who failed once has proven nothing, and who was not run keeps what it had."""

    def __init__(self) -> None:
        self._passed: dict[Proof, bool] = defaultdict(lambda: True)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a test that has run."""
        if report.skipped or (report.when != "call" and report.passed):
            return
        for name, value in report.user_properties:
            if name == PROPERTY and isinstance(value, list | tuple):
                proof = Proof(*value)
                self._passed[proof] = self._passed[proof] and report.passed

    def pytest_sessionfinish(self) -> None:
        """Write what is proven now."""
        Path(PLACE).write_text("".join("\t".join(one) + "\n" for one in self.merged(read())), encoding="utf-8")

    def merged(self, before: Iterable[Proof]) -> list[Proof]:
        """Return the lines with this run's."""
        failed = {proof[:2] for proof, passed in self._passed.items() if not passed}
        return sorted(one for one in {*before, *self._passed} if one[:2] not in failed)
