"""What people and programs see, frozen: every --help, an answer of every command of the API, every type of event.

The goldens are the files of `goldens/`: help.txt, api_*.json (a section of `golden_script.py` each), events.json. They
hold for every way in which the sources are arranged, so a difference is either a mistake or a change that somebody
meant. After one that was meant, write them anew and look at the difference before you commit it:

    pytest tests/contract tests/walk/contract --update-goldens
    git diff tests/contract/goldens

Ids, times, paths, ports, sizes and durations are placeholders there (`tests/kit/recorded.py`). A command that is new in
the table of commands, or an event that is new in the sources, fails here until the script makes it happen.
"""

from __future__ import annotations

import contextlib
import io
import os

import pytest

from overmind_core.cli.command import COMMANDS, HIDDEN
from overmind_core.cli.context import Context
from overmind_core.cli.headless.commands import HEADLESS_COMMANDS as HEADLESS
from overmind_core.cli.main import guarded
from tests.kit.golden_files import GoldenFiles

GOLDENS = os.path.join(os.path.dirname(__file__), "goldens")
FAMILIES = ("quest", "ritual", "spec")
HELP = [
    ["--help"],
    *([*name.split(), "--help"] for name in [*COMMANDS, *HIDDEN]),
    *([name, "--help"] for name in FAMILIES),
    ["--headless", "--help"],
    *(["--headless", name, "--help"] for name in HEADLESS),
]


@pytest.fixture
def goldens(request):
    return GoldenFiles(GOLDENS, update=request.config.getoption("--update-goldens"))


def test_every_help_is_as_it_was(goldens, monkeypatch):
    def no_terminal(_: int) -> os.terminal_size:
        raise OSError

    monkeypatch.setattr(os, "get_terminal_size", no_terminal)  # then all is 100 columns wide
    monkeypatch.setenv("NO_COLOR", "1")
    goldens.check("help.txt", "\n".join(f"$ overmind {' '.join(words)}\n{_printed(words)}" for words in HELP))


def _printed(words: list[str]) -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert guarded(words, Context()) == 0, words
    return out.getvalue()
