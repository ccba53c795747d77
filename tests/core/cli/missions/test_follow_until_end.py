"""Following a mission to its end: a line says that it runs, as long as it has printed nothing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from overmind_core.cli import follow_logs, waiting


@pytest.mark.parametrize(("printed", "said"), [([], ["waits for red: running"]), (["hello"], [])])
def test_of_a_mission_that_prints_nothing_it_is_said_that_it_runs(monkeypatch, capsys, printed, said):
    row: dict[str, Any] = {
        "id": "a1b2c3d4",
        "name": "red",
        "type": "task",
        "status": "running",
        "activity": None,
        "children": [],
    }
    client = SimpleNamespace(call=lambda command, *_args: [row] if command == "ps" else [])
    noted: list[str] = []
    context: Any = SimpleNamespace(client=lambda **_: client, note=noted.append, environ={}, hive=None)

    def follow_output(_client, mission, printer, *, idle, **_more):
        idle()
        printer.show(mission, [(0.0, 0, line) for line in printed])
        monkeypatch.setattr(waiting, "SHORT", 0.0)  # from here on it is long
        idle()
        return SimpleNamespace(status="stopped", exit_code=0, reason=None)

    monkeypatch.setattr(follow_logs, "follow_output", follow_output)
    assert follow_logs.follow_until_end(context, "a1b2c3d4") == 0
    assert (noted, capsys.readouterr().out.splitlines()) == (said, printed)
