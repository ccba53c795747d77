"""The parts of a check: its row, what it looks at, and what it finds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

from overmind_core.cli.external import ProgramResult
from overmind_core.system.paths import Home

OK = "ok"
WARN = "warn"
FAIL = "fail"


class Finding(NamedTuple):
    """What a check found."""

    status: str
    """`ok`, `warn` (works, not as well as it could) or `fail` (Overmind does not work so)."""
    found: str
    mend: str = ""
    """What to do about it."""


class RunProgram(Protocol):
    """Runs a program for its output."""

    def __call__(self, *argv: str) -> ProgramResult:
        """Run it, within a time limit."""


class CheckContext(NamedTuple):
    """Everything outside that checks look at, but for files and the kernel."""

    environ: Mapping[str, str]
    home: Home
    run_program: RunProgram
    which: Callable[[str], str | None]
    """Program → its path, None when it isn't on PATH."""
    platform: str
    """As in `sys.platform`."""


class Check(NamedTuple):
    """One row of the table."""

    name: str
    look: Callable[[CheckContext], Finding | None]
    """None: there is nothing to check here."""


def ok(found: str) -> Finding:
    """All is well."""
    return Finding(OK, found)


def warn(found: str, mend: str) -> Finding:
    """It works, but not as well as it could."""
    return Finding(WARN, found, mend)


def fail(found: str, mend: str) -> Finding:
    """It does not work so."""
    return Finding(FAIL, found, mend)
