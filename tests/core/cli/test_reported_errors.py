"""How an error is said: with its code to programs; a person is spared the one that says nothing."""

from __future__ import annotations

import io
import sys

import pytest

from overmind_core.cli.context import Context, report_error
from overmind_core.errors import OvermindError


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("error", "screen", "said"),
    [
        (OvermindError("invalid", "Give an id."), io.StringIO, "Error: invalid: Give an id.\n"),
        (OvermindError("invalid", "Give an id."), Terminal, "Error: Give an id.\n"),
        (OvermindError("not_found", "No mission 'x'."), io.StringIO, "Error: not_found: No mission 'x'.\n"),
        (OvermindError("not_found", "No mission 'x'."), Terminal, "Error: not_found: No mission 'x'.\n"),
    ],
)
def test_the_code_of_what_was_typed_wrong_is_for_programs(error, screen, said, monkeypatch):
    err = screen()
    monkeypatch.setattr(sys, "stderr", err)
    assert report_error(error, Context({"PATH": "/bin"})) == error.exit_status
    assert err.getvalue() == said
