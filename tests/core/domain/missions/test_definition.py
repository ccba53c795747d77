"""A definition: which programs read from the terminal."""

from __future__ import annotations

from overmind_core.domain.missions.mission import Definition, Kind
from tests.kit.cases import tabled


@tabled(
    ("tty", "kind", "interactive", "has_input"),
    [
        (True, Kind.SESSION, False, True),
        (True, Kind.TASK, True, True),
        (True, Kind.TASK, False, False),
        (False, Kind.SESSION, False, False),
        (False, Kind.TASK, True, False),
    ],
)
def test_only_who_is_typed_to_reads_from_the_terminal(tty, kind, interactive, has_input):
    asked = Definition("a", "x", ("x",), "/", kind=kind, tty=tty, interactive=interactive)
    assert asked.has_terminal_input is has_input
