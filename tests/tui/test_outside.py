"""Other programs in our terminal, and what leaves it: the clipboard and saved files."""

from __future__ import annotations

import os
import pty
import select
import tty
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
