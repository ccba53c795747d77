"""The options of every headless command."""

from __future__ import annotations

from overmind_core.cli.table import option
from overmind_core.cli.values import milliseconds

REPORTS = [
    option("--home", "DIR", "keep state and logs there, instead of in a temporary folder that goes on success"),
    option("--events", "FILE", "write every event there, as NDJSON"),
    option("--junit", "FILE", "write a JUnit report there"),
]
"""May stand before the command and among its own options."""

TOTAL_TIMEOUT = option("--timeout", "TIME", "wall clock of everything, in ms; then exit status 124", parse=milliseconds)
"""Only before the command: `run --timeout` limits one run."""
