"""The decision about a failed run of tests: a few failed tests may be unsteady, everything else is final.

A test fails in its own body, or while its fixtures are set up: that may be the machine's fault, and is tried again.
What is left after a test or after a worker's session is reported by the test that ran last, which says nothing about
who left it; nor does a worker that died prove that nothing is left. Neither passes by being tried again.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from scripts.landing.reports import Case

MOST = 5
"""Failed tests of a landing that are tried again; more are no accident."""
SET_UP = "failed on setup with "
"""pytest's first words about a test whose fixtures could not be set up."""
_CRASHED = re.compile(r"worker '[^']*' crashed while running")


class Final(Exception):
    """The failure is final; the message says why."""


class FailedTest(NamedTuple):
    """A test that is tried again."""

    name: str
    file: str
    message: str
    """Its first line."""
    seed: str
    """Empty: it printed none."""


def choose_failed(cases: Iterable[Case]) -> list[FailedTest]:
    """Return the tests to try again.

    Raises:
        Final: nothing is to be tried again.
    """
    failed: dict[str, FailedTest] = {}
    for case in cases:
        for error in case.errors:
            if not case.file or not error.startswith(SET_UP) or _CRASHED.search(error):
                raise Final(f"{case.name}: {_first_line(error) or 'an error'}")
        if messages := [*case.failures, *case.errors]:
            failed.setdefault(case.name, FailedTest(case.name, case.file, _first_line(messages[0]), case.seed))
    if not failed:
        raise Final("no test has failed: something else has")
    return list(failed.values())


def check_second_try(failed: Collection[FailedTest], code: int, cases: Iterable[Case]) -> None:
    """Compare the tests that failed with their second try, its exit status and its report.

    Raises:
        Final: it is red, or one of them did not run.
    """
    names = ", ".join(test.name for test in failed)
    if code:
        raise Final(f"exit {code}; first {names} failed")
    passed = {case.name for case in cases if case.passed}
    if not passed.issuperset(test.name for test in failed):
        raise Final(f"not all of these ran: {names}")


def _first_line(message: str) -> str:
    first = next(iter(message.strip().splitlines()), "")
    return first.removeprefix(SET_UP).strip('"') if first.startswith(SET_UP) else first
