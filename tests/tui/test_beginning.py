"""The full-screen program begins as `overmind tui` was told: from the command line to the program itself."""

from __future__ import annotations

import gc
import os
import sys
from itertools import pairwise

import pytest
from textual import constants

from overmind_core.cli import daemon
from overmind_core.cli.context import Context
from overmind_core.cli.main import guarded
from overmind_tui import __main__ as program
from overmind_tui import app


class Became(Exception):
    """The process is another program now."""


@pytest.mark.parametrize(
    ("words", "handed_on"),
    [
        ((), []),
        (("--theme", "nord"), ["--theme", "nord"]),
        (("--view", "events"), ["-c", "events"]),
        (("-c", "logs api"), ["-c", "logs api"]),
        (("--theme=light", "--read-only", "--view=top"), ["--read-only", "--theme", "light", "-c", "top"]),
    ],
)
def test_the_full_screen_program_begins_as_its_options_say(monkeypatch, tmp_path, words, handed_on):
    begun = {}

    def become(_program, argv, _environment):
        begun["argv"] = argv
        raise Became

    class App:
        """Stands for the program: says how it was begun."""

        return_code = 3
        settings = type("Settings", (), {"mouse": False})

        def __init__(self, home, _world, **how):
            begun.update(how, home=home.root)

        def call_later(self, _then):
            pass

        def run(self, *, mouse):
            begun["mouse"] = mouse

    monkeypatch.setattr(daemon, "is_on_terminal", lambda: True)
    monkeypatch.setattr(os, "execve", become)
    with pytest.raises(Became):
        guarded(["tui", *words], Context({"OVERMIND_HOME": str(tmp_path)}))
    executable, safe, module, name, *rest = begun.pop("argv")
    assert (executable, safe, module, name, rest) == (sys.executable, "-P", "-m", "overmind_tui", handed_on)

    for name in ("DISABLE_KITTY_KEY", "MAX_FPS"):
        monkeypatch.setattr(constants, name, getattr(constants, name))  # the program sets them

    gc.enable()
    switch = sys.getswitchinterval()
    monkeypatch.setattr(app, "OvermindApp", App)
    monkeypatch.setattr(sys, "argv", ["overmind tui", *rest])
    monkeypatch.setenv("OVERMIND_HOME", str(tmp_path))
    assert program.main() == 3
    sys.setswitchinterval(switch)
    given = dict(pairwise(rest))
    assert (begun.pop("first") is not None) is (given.get("-c") == "top"), "what is known before is asked for already"
    assert begun == {
        "home": str(tmp_path), "read_only": "--read-only" in rest, "theme": given.get("--theme"),
        "view": given.get("-c", ""), "mouse": False,
    }  # fmt: skip


def test_it_knows_each_spelling_of_each_option_of_its_command(monkeypatch):
    """Other commands begin it as well, such as the demonstrations, and in their own words."""
    for option in daemon.TUI.options:
        for name in option.names:
            monkeypatch.setattr(sys, "argv", ["overmind tui", name, *(["x"] if option.takes_value else [])])
            assert vars(program._options())[option.names[-1].lstrip("-").replace("-", "_")] in {"x", True}
