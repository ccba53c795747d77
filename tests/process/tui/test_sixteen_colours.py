"""A terminal that has sixteen colours gets no other ones, whatever theme is configured."""

from __future__ import annotations

import re

import pytest

from tests.kit.terminal import Terminal

SGR = re.compile(r"\x1b\[([0-9;]*)m")


def parameters(shown: str) -> set[int]:
    return {int(one) for found in SGR.findall(shown) for one in found.split(";") if one}


@pytest.mark.parametrize(("term", "more"), [("xterm", False), ("linux", False), ("xterm-256color", True)])
def test_a_terminal_gets_no_colours_that_it_has_not(om, term, more):
    om.mission("sleep 300", "--name", "alpha")
    with Terminal(om, "tui", "--theme", "light", env={"TERM": term, "COLORTERM": None}) as terminal:
        terminal.expect("alpha")
        terminal.type("qq")
        assert terminal.end() == 0
    found = parameters(terminal.shown)
    assert (bool(found & {38, 48})) is more
    assert more or 7 in found, "the cursor is reversed"
