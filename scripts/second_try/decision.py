"""The decision, from pytest's report in JUnit's XML: a few failed tests may be unsteady, everything else stands.

A test fails in its own body, or while its fixtures are set up: that may be the machine's fault, and is tried again.
What is left after a test or after a worker's session is told by the test that was last, which says nothing about who
left it; nor does a worker that died prove that nothing is left. Neither passes by being tried again.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

MOST = 3
"""Failed tests that are tried again; more are no accident."""
SET_UP = "failed on setup with "
"""How pytest begins to tell of a test whose fixtures could not be set up."""
_CRASHED = re.compile(r"worker '[^']*' crashed while running")


class Stands(Exception):
    """The failure stands; the message says why."""


def failed_once(report: str, seen: Collection[str]) -> list[str]:
    """Return the names of the tests to try again, such as `tests/process/contract/test_run.py::test_it[a]`.

    Args:
        report: Path of the report of a run that failed, in the form `xunit1`, which names files.
        seen: Names of tests that were unsteady before.

    Raises:
        Stands: nothing is to be tried again.
    """
    try:
        root = ET.parse(report).getroot()  # noqa: S314 (written by our own run, just now)
    except (OSError, ET.ParseError) as error:
        raise Stands(f"there is no report of it: {error}") from None
    names = list(dict.fromkeys(_failed(root.iter("testcase"))))
    if not names:
        raise Stands("no test has failed: something else has")
    if len(names) > MOST:
        raise Stands(f"{len(names)} tests have failed; {MOST} at most are tried again")
    if known := [name for name in names if name in seen]:
        raise Stands(f"unsteady before, and to be mended: {', '.join(known)}")
    return names


def _failed(cases: Iterable[ET.Element]) -> Iterator[str]:
    for case in cases:
        name = f"{case.get('file')}::{case.get('name')}"
        for error in case.iter("error"):
            told = error.get("message") or ""
            if case.get("file") is None or not told.startswith(SET_UP) or _CRASHED.search(told):
                raise Stands(f"{name}: {told.splitlines()[0] if told else 'an error'}")
            yield name
        if case.find("failure") is not None:
            yield name


def listed(text: str) -> set[str]:
    """Return the names in the list of those seen before: one a line, `#` begins a line for people."""
    lines = (line.strip() for line in text.splitlines())
    return {line for line in lines if line and not line.startswith("#")}
