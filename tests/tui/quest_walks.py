"""What tests of the board, of the queue and of lists of quests share: the rows as the program knows them, and walks."""

from __future__ import annotations

from typing import Any, ClassVar

from overmind_core.view import quests as quests_rows
from tests.tui.test_pictures_board import BOARD, FLEET, QUESTIONS, QUEUE, Boarded, in_queue, queued
from tests.tui.test_pictures_worktrees import CHANGES
from tests.tui.walks import Recording


def known(row):
    """A quest with what other parts of the program know of it."""
    (found,) = [dict(row)]
    quests_rows.learn([found], {one["id"]: one for one in FLEET}, QUESTIONS)
    return found


class RecordingBoard(Recording, Boarded):
    """Boards and queues that stand still."""

    answers: ClassVar[dict[str, Any]] = {
        **Boarded.answers, "changes": CHANGES, "queue_set": {"paused": True, "slots": 3, "running": 2},
    }  # fmt: skip


GATE = {
    "spec": "5bec5bec", "name": "carts", "title": "Carts", "need": "phase", "phase": "tasks", "priority": "medium",
    "question": 11, "summary": "carts: tasks passed with 0.95", "asked_at": "2025-11-27T10:00:00.000Z",
}  # fmt: skip
MERGE = {**GATE, "need": "merge", "phase": None, "question": 12, "summary": "Land spec/carts on main"}


class GatedBoard(RecordingBoard):
    """The same while two specs wait for a person."""

    answers: ClassVar[dict[str, Any]] = {
        **RecordingBoard.answers, "board": {**BOARD, "gates": [GATE, MERGE]},
    }  # fmt: skip

    def _start(self):
        super()._start()
        asked: dict[str, Any] = {
            "tool": "",
            "options": [],
            "subject": {"lines": []},
            "rule": None,
            "attach_only": False,
        }
        self.fleet.questions = [
            *QUESTIONS,
            *(
                {**asked, "id": one["spec"], "about": {"kind": "spec"}, "part": one["phase"] or "", **one}
                for one in (GATE, MERGE)
            ),
        ]


ASKED_OF_SPEC: dict[str, Any] = {
    "tool": "", "options": [], "subject": {"lines": []}, "rule": None, "attach_only": False, "id": GATE["spec"],
    "about": {"kind": "spec"}, "part": "tasks", **GATE,
}  # fmt: skip
AT_GATE = in_queue(0x5B, "carts/tasks", "completed", 120, 60)


class GatedQuest(GatedBoard):
    """The same where a quest has made the document that is at the gate."""

    answers: ClassVar[dict[str, Any]] = {
        **RecordingBoard.answers,
        "board": {
            "columns": [
                {**one, "count": one["count"] + 1, "quests": [AT_GATE, *one["quests"]]}
                if one["name"] == "review"
                else one
                for one in BOARD["columns"]
            ],
            "gates": [{**GATE, "quest": AT_GATE["id"]}, MERGE],
        },
    }

    def _start(self):
        super()._start()
        self.fleet.questions = [
            {**one, "quests": [AT_GATE["id"]]} if one["question"] == GATE["question"] else one
            for one in self.fleet.questions
        ]


class Long(RecordingBoard):
    """The same with ten thousand quests that wait."""

    rows: ClassVar[list[Any]] = [
        queued(at, f"quest-{at}", at + 1, "3 of 3 slots are taken; 5th in line", "slots") for at in range(10_000)
    ]

    def request(self, command, requests, on_result):
        if command not in {"board", "queue"}:
            super().request(command, requests, on_result)
            return
        self.asked += [(command, dict(one)) for one in requests]
        (given,) = requests
        some = [dict(row) for row in self.rows[: given.get("limit") or None]]
        first = {**BOARD["columns"][0], "count": len(self.rows), "quests": some}
        on_result([
            {"columns": [first, *BOARD["columns"][1:]]} if command == "board"
            else {**QUEUE, "count": len(self.rows), "quests": some}
        ])  # fmt: skip


def card_at(app):
    """The name of the quest under the cursor."""
    return app.screen.table.current.row["name"]
