"""A terminal that has sixteen colours gets no other ones, whatever theme is configured."""

from __future__ import annotations

import re

import pytest

from tests.kit import claude, sessions
from tests.kit.terminal import Terminal

SGR = re.compile(r"\x1b\[([0-9;]*)m")


OF_SIXTEEN = {*range(30), *range(30, 38), 39, *range(40, 48), 49, *range(90, 98), *range(100, 108)}
"""Parameters that are no colours, and those of sixteen colours and of what a terminal has by itself."""


def parameters(shown: str) -> set[int]:
    return {int(one) for found in SGR.findall(shown) for one in found.split(";") if one}


COLOURFUL = r"""printf '\033[38;5;208mmixed \033[38;2;9;99;199mown \033[48;5;25mground\033[0m\n'; sleep 300"""
"""Writes in colours that few terminals have."""


@pytest.mark.parametrize(("term", "more"), [("xterm", False), ("linux", False), ("xterm-256color", True)])
def test_a_terminal_gets_no_colours_that_it_has_not(om, tmp_path, term, more):
    """Acceptance 15: the list, a question, each face, the line, help, needs you, and a terminal that is typed into."""
    claude.at_hand(om, tmp_path)
    sessions.begun(om, "asker")
    sessions.asks(om, "asker", "!bash touch x")
    om.mission(COLOURFUL, "--type", "session", "--name", "alpha")
    with Terminal(om, "tui", "--theme", "light", env={"TERM": term, "COLORTERM": None}) as terminal:
        terminal.expect("alpha")
        terminal.expect("May it run this")
        for keys, shown in STEPS:
            terminal.shown, before = "", terminal.shown
            terminal.type(keys)
            terminal.expect(shown)
            terminal.shown = before + terminal.shown
        terminal.type("qq")
        assert terminal.end() == 0
    found = parameters(terminal.shown)
    assert (bool(found & {38, 48})) is more
    assert more or found <= OF_SIXTEEN
    assert more or 7 in found, "the cursor is reversed"


STEPS = [
    ("?", "this mission"), ("\x1b", "new mission in"), ("n", "starts it"), ("\x1b", "new mission in"),
    ("G", "mixed"), ("\t\t", "80x24|100x"), ("\t", "started"), ("\t", "mixed"),
    ("ai", "typing"), ("\x1c\x1c", "new mission in"), ("!", "touch x"), ("\x1b", "running"),
]  # fmt: skip
"""Keys, and what stands there then."""
