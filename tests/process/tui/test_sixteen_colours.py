"""A terminal that has sixteen colours gets no other ones, whatever theme is configured."""

from __future__ import annotations

import re

import pytest

from tests.kit.terminal import Terminal

SGR = re.compile(r"\x1b\[([0-9;]*)m")


OF_SIXTEEN = {*range(30), *range(30, 38), 39, *range(40, 48), 49, *range(90, 98), *range(100, 108)}
"""Parameters that are no colours, and those of sixteen colours and of what a terminal has by itself."""


def parameters(shown: str) -> set[int]:
    return {int(one) for found in SGR.findall(shown) for one in found.split(";") if one}


@pytest.mark.parametrize(("term", "more"), [("xterm", False), ("linux", False), ("xterm-256color", True)])
def test_a_terminal_gets_no_colours_that_it_has_not(om, term, more):
    om.mission("sleep 300", "--name", "alpha")
    with Terminal(om, "tui", "--theme", "light", env={"TERM": term, "COLORTERM": None}) as terminal:
        terminal.expect("alpha")
        terminal.type("?")
        terminal.expect("this mission")
        terminal.type("\x1b")
        terminal.expect("new mission in")
        terminal.type("\t\t\t!")
        terminal.expect("obody needs you")
        terminal.type("qq")
        assert terminal.end() == 0
    found = parameters(terminal.shown)
    assert (bool(found & {38, 48})) is more
    assert more or found <= OF_SIXTEEN
    assert more or 7 in found, "the cursor is reversed"
