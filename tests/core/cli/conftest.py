"""The command line against a daemon that says what a table tells it to."""

from __future__ import annotations

import io
import sys
from typing import Any, NamedTuple

import pytest

from overmind_core.cli.context import Context
from overmind_core.cli.main import guarded
from overmind_core.system.paths import Home
from tests.kit.fake_daemon import FakeDaemon


class Ran(NamedTuple):
    """What became of a command line."""

    status: int
    out: str
    err: str
    requests: list[tuple[str, Any]]


@pytest.fixture
def overmind(tmp_path, capsys, monkeypatch):
    """Run a command line against a daemon that answers from a table; return (exit status, stdout, stderr, requests)."""

    def run(answers, *words, stdin=b"", environ=None):
        def answer(request):
            said = answers[request["cmd"]]
            return said(request["args"]) if callable(said) else said

        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with FakeDaemon(Home(str(tmp_path / "home")), answer) as daemon:
            status = guarded(list(words), Context((environ or {}) | {"OVERMIND_HOME": str(tmp_path / "home")}))
        shown = capsys.readouterr()
        return Ran(status, shown.out, shown.err, [(request["cmd"], request["args"]) for request in daemon.requests])

    return run
