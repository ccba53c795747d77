"""The results of tests: pytest's report in JUnit's XML, and the line of its cost."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

OPTIONS = "-o junit_family=xunit1 -o junit_logging=all -o junit_log_passing_tests=false --junitxml="
"""Options of pytest before the path of its report: it names files, and has the output of tests that failed."""
_SEED = re.compile(r"OVERMIND_TEST_SEED=\d+|--hypothesis-seed=\d+")
_COST = re.compile(r"^cost: ([\d,.]+) s of processor time(?:, ([\d,]+ looks(?: of [\d,]+)?))?", re.MULTILINE)
_LEFT_OUT = re.compile(r"^make [\w-]+: skipped\. (.+)$", re.MULTILINE)


class Unreadable(Exception):
    """The report is missing or torn; the message says how."""


@dataclass(frozen=True, slots=True)
class Case:
    """One entry of a report. A test that fails in its body and after it has two."""

    name: str
    """pytest's own, such as `tests/core/test_it.py::TestIt::test_it[a]`."""
    file: str
    """Empty: the entry belongs to no file."""
    seconds: float
    failures: tuple[str, ...] = ()
    """Messages of the body."""
    errors: tuple[str, ...] = ()
    """Messages of what is before and after the body."""
    skipped: str | None = None
    """The reason."""
    seed: str = ""
    """The setting that repeats its random choices, as the test printed it."""

    @property
    def passed(self) -> bool:
        """Nothing failed, and it ran."""
        return not self.failures and not self.errors and self.skipped is None


def read_cases(path: str) -> list[Case]:
    """Return the entries of a report in the form `xunit1`.

    Raises:
        Unreadable: there is no whole report at that path.
    """
    try:
        root = ET.parse(path).getroot()  # noqa: S314 (written by our own run, just now)
    except (OSError, ET.ParseError) as error:
        raise Unreadable(f"there is no report of it: {error}") from None
    return [_case(element) for element in root.iter("testcase")]


def _case(element: ET.Element) -> Case:
    file = element.get("file", "")
    skipped = element.find("skipped")
    seed = _SEED.search("\n".join(element.itertext()))
    return Case(
        name="::".join(_parts(element, file)),
        file=file,
        seconds=float(element.get("time", "0")),
        failures=tuple(child.get("message", "") for child in element.iter("failure")),
        errors=tuple(child.get("message", "") for child in element.iter("error")),
        skipped=None if skipped is None else skipped.get("message", ""),
        seed=seed[0] if seed else "",
    )


def _parts(element: ET.Element, file: str) -> Iterator[str]:
    classname = element.get("classname", "")
    yield file or classname
    if file:
        classes = classname.removeprefix(file.removesuffix(".py").replace("/", ".")).strip(".")
        yield from filter(None, classes.split("."))
    yield element.get("name", "")


class Cost(NamedTuple):
    """The last line of pytest: what its tests cost."""

    cpu_seconds: float
    looks: str
    """Such as `98,415 of 125,000`; empty: it names none."""


def read_cost(output: str) -> Cost | None:
    """Return the cost that was printed last."""
    found = list(_COST.finditer(output))
    if not found:
        return None
    seconds, looks = found[-1].groups()
    return Cost(float(seconds.replace(",", "")), (looks or "").replace(" looks", ""))


def read_left_out(output: str) -> str | None:
    """Return the reason why a script left out a whole engine."""
    found = _LEFT_OUT.search(output)
    return found[1] if found else None
