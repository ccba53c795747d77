"""Other programs in our terminal, and what leaves it: the clipboard and saved files."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pty
import select
import tty
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from overmind_tui.shell import external
from tests.kit.waiting import eventually
from tests.tui.test_pictures import Still
from tests.tui.walks import Recording, walk


def test_what_was_typed_for_another_program_and_not_read_is_forgotten():
    ours, terminal = pty.openpty()
    tty.setraw(terminal)
    os.write(ours, b"qy")
    eventually(lambda: select.select([terminal], [], [], 0)[0], what="typed")
    external.drop_typed(terminal)
    assert not select.select([terminal], [], [], 0)[0]
    for one in (ours, terminal):
        os.close(one)
    external.drop_typed(terminal)


def test_the_line_that_says_how_one_comes_back_stands_before_the_output_of_a_shell(monkeypatch, capfd):
    monkeypatch.setattr(external, "_away", lambda _app, _driver: contextlib.nullcontext())
    monkeypatch.setattr(external, "clear_own_mark_of", lambda _pid: None)
    app = SimpleNamespace(_driver=SimpleNamespace(can_suspend=True), is_headless=False)
    lead = "shell in ~/shop of api: exit returns to overmind"
    program = external._Started(["sh", "-c", "echo output"], "/", dict(os.environ), lead)
    shell: Any = SimpleNamespace(app=app)
    assert asyncio.run(external._alone(shell, program)) == 0
    assert capfd.readouterr().out == f"{lead}\noutput\n"


@pytest.mark.parametrize(("key", "row"), [("s", "api"), ("s", "日本-worker")])
def test_a_shell_says_where_it_is_and_how_one_comes_back(monkeypatch, tmp_path, key, row):
    ran: list[dict[str, Any]] = []
    monkeypatch.setattr(external, "run", lambda _shell, _argv, **how: ran.append(how))

    async def scenario(app, press):
        (one,) = (known for known in app.fleet.rows.values() if known["name"] == row)
        one["cwd"] = str(tmp_path / "shop")
        app.main.select(one["id"])
        app.world.environ["HOME"] = str(tmp_path)
        await press(key)
        (how,) = ran
        assert (how["cwd"], how["lead"]) == (one["cwd"], f"shell in ~/shop of {row}: exit returns to overmind")
        how["then"](0)
        assert app.notice.text == "back from ~/shop"

    (tmp_path / "shop").mkdir()
    walk(scenario, Recorded)


class Recorded(Recording, Still):
    """Missions that stand still."""


class Defined(Recording, Still):
    """Missions with a definition, which the editor of the person changes."""

    known: ClassVar[dict[str, Any]] = {}
    edits = 0

    def answer(self, command, given):
        if command == "definition":
            return {"definition": {}, "as_of": str(self.edits), **self.known}
        return super().answer(command, given)


REFUSED = "The queue starts quest docs, which is running."
NOT_RESTARTED = [
    ({"live": False, "restart_refused": REFUSED}, 0, REFUSED),
    ({"live": True, "restart_refused": REFUSED}, 1, "is saved · its limits apply at once, all else in its next run"),
    ({"live": True, "restart_refused": None}, 1, "is saved · r restarts it with the new definition"),
    ({"live": True}, 1, "is saved · r restarts it with the new definition"),
]


@pytest.mark.parametrize(("known", "edits", "said"), NOT_RESTARTED)
def test_what_nobody_restarts_by_hand_is_not_edited_once_it_has_ended_and_else_not_restarted(
    monkeypatch, known, edits, said
):
    class Known(Defined):
        pass

    Known.known = known

    def run(_shell, _argv, *, cwd, then, environ):
        del cwd, environ
        Known.edits += 1
        then(0)

    monkeypatch.setattr(external, "run", run)

    async def scenario(app, press):
        acted = []
        app.act = lambda action, _rows: acted.append(action)
        await press("e")
        assert app.notice.text.endswith(said)
        assert (Known.edits, acted) == (edits, ["restart"] if "r restarts" in said else [])

    walk(scenario, Known)
