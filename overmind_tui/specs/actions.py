"""What keys do to specs: have one go on, show what a sync would do, archive, edit, comment, and send comments."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from overmind_core.domain import engine_questions
from overmind_core.domain.engine_questions import EngineNeed
from overmind_core.domain.text.paragraphs import stands
from overmind_core.errors import OvermindError
from overmind_core.spec_files import document_texts
from overmind_core.view import diff
from overmind_core.view import quests as quests_rows
from overmind_core.view import specs as specs_rows
from overmind_core.view.cells import Row, safe
from overmind_core.view.inbox import DENY
from overmind_core.view.specs import AT_TASK, OF_PHASE, OF_TASK, SPOT
from overmind_tui.missions.actions_end import Request, each
from overmind_tui.pages.compose import Composer, Purpose
from overmind_tui.pages.dialog import Answer, Dialog, ask_first
from overmind_tui.pages.page import Page
from overmind_tui.pages.table import as_now
from overmind_tui.pages.text import TextPage
from overmind_tui.quests.actions import QuestActions
from overmind_tui.shell import external

if TYPE_CHECKING:
    from overmind_tui.inbox.actions import AnswerActions, InboxActions
    from overmind_tui.inbox.messages import Drafts
    from overmind_tui.shell.shell import Shell

Answers = Sequence[Any | OvermindError]
SPECS = "specs"
COMPUTED = "sync"
"""The phase that no agent does."""


class SpecActions:
    """Asks for it; what ends work, or has it done again, asks the person first."""

    def __init__(self, shell: Shell, answers: AnswerActions, drafts: Drafts, inbox: InboxActions) -> None:
        self._shell = shell
        self._answers = answers
        self.drafts = drafts
        self._inbox = inbox
        self._quests = QuestActions(shell)
        self.handlers: dict[str, Callable[[list[Row]], object]] = {
            "run-spec": self.run,
            "sync-spec": self.sync,
            "archive-spec": self.archive,
            "edit-document": self.edit,
            "comment-document": self.comment,
            "answer-spec": self.answer,
            "send-comments": self.send_comments,
        }
        self.conditions: dict[str, Callable[[list[Row]], bool]] = {
            "run-spec": _can_run,
            "answer-spec": lambda rows: any(map(self._is_asked, rows[:1])),
            "send-comments": lambda rows: any(self.places(row) or self._is_asked(row) for row in rows[:1]),
        }
        """Action → whether it does anything to these rows."""

    # having it go on

    def run(self, rows: list[Row]) -> None:
        """Run specs from where they are, or one from a phase; a failed task is retried."""
        row = rows[0]
        if len(rows) > 1 and any(OF_PHASE in one and AT_TASK not in one for one in rows):
            self._shell.flash(f"run: select one phase, or tasks alone: {len(rows)} rows are marked", "slow")
            return
        if AT_TASK in row:
            self._retry(rows)
            return
        phase = row.get(OF_PHASE, "")
        known = next((one for one in row["phases"] if one["phase"] == phase), None)
        if phase in {"", specs_rows.BRIEF} or known is None:
            for one in rows:
                self._run(one, None)
        elif phase != COMPUTED and known["state"] in {"passed", "review"}:
            again = "an agent does it again, and the phases behind it that this changes."
            lines = [f"the phase {phase} has passed: {again}"]
            answers = [
                Answer(("y",), "run", lambda: self._run(row, phase), "slow"),
                Answer(("n",), "keep", lambda: None),
            ]
            self._shell.open(Dialog(f"run {safe(row['name'])} from {phase}?", lines, answers, first=1))
        else:
            self._run(row, phase)

    def _retry(self, rows: list[Row]) -> None:
        """Retry the quests of tasks, as far as there are any."""
        quests = [row[OF_TASK] for row in rows if row[OF_TASK] is not None]
        if quests:
            self._quests.retry(quests)
        else:
            self._shell.flash(f"{safe(rows[0][AT_TASK])} is not queued yet", "slow")

    def _run(self, row: Row, phase: str | None) -> None:
        name = safe(row["name"])

        def on_result(answers: Answers) -> None:
            (answer,) = answers
            if isinstance(answer, OvermindError):
                self._shell.flash(safe(answer.message), "bad")
            else:
                self._shell.flash(f"{name}: {advanced(answer)}", "good" if answer["queued"] else "slow")

        self._shell.flash(f"run {name} …", "quiet")
        self._shell.request("spec_run", [{"id": row["id"], **({"first": phase} if phase else {})}], on_result)

    def sync(self, rows: list[Row]) -> None:
        """Show what a sync would do; nothing is changed."""
        row, place = rows[0], self._shell.app.screen

        def on_result(answers: Answers) -> None:
            (answer,) = answers
            if isinstance(answer, OvermindError):
                self._shell.flash(safe(answer.message), "bad")
                return
            lines = specs_rows.sync_text(answer)
            if self._shell.rests_at(place):
                self._shell.open(TextPage("sync", f"preview of a sync · {safe(row['name'])}", lambda: lines))

        self._shell.request("spec_sync", [{"id": row["id"], "dry_run": True}], on_result)

    def archive(self, rows: list[Row]) -> None:
        """Archive specs, so that nothing of them starts; restore archived ones."""
        rows = list({row["id"]: row for row in rows}.values())  # several parts of one spec may be marked
        away = [row for row in rows if row["state"] != "archived"]
        if not away:
            env = dict(self._shell.world.environ)
            doing = Request("spec_archive", "restore", "restored", SPECS, " · r runs it")
            each(self._shell, doing, rows, lambda _row: {"undo": True, "env": env})
            return
        page = self._shell.app.screen

        def lines() -> list[str]:
            return [_consequence(row) for row in as_now(page, away)]

        doing = Request("spec_archive", "archive", "archived", SPECS, " · :specs all shows it, ctrl-d takes it back")
        ask_first(self._shell, "archive spec", away, lines, lambda: each(self._shell, doing, away))

    # documents

    def edit(self, rows: list[Row]) -> None:
        """Have its document changed in the person's own editor."""
        row = rows[0]
        phase = row.get(OF_PHASE) or self._edited_phase(row)
        shell = self._shell
        path = document_texts.path_of(row["folder"], phase)
        if phase != specs_rows.BRIEF and not os.path.lexists(path):
            shell.flash(f"{phase}{document_texts.MARKDOWN} is not written yet: r has it done", "slow")
            return
        try:
            editor = shlex.split(shell.world.environ.get("VISUAL") or shell.world.environ.get("EDITOR") or "vi")
        except ValueError as error:
            shell.flash(f"$EDITOR is not a valid command: {safe(error)}", "bad")
            return

        def edited(code: int) -> None:
            if code == external.NOT_STARTED:  # why was said
                return
            page = shell.app.screen
            if isinstance(page, Page):
                page.do_refresh()
            if code:  # last: the page says that it refreshes
                shell.flash(f"the editor exited with code {code}", "bad")

        external.run(shell, [*editor, path], cwd=os.path.dirname(path), then=edited)

    def _edited_phase(self, row: Row) -> str:
        """The document that a spec is about now, as far as it is written."""
        phase = specs_rows.current_phase(row)
        written = [one["phase"] for one in row["phases"] if one["sha256"] or one["faults"]]
        wanted = "" if phase is None else phase["phase"]
        return wanted if wanted in written else (written or [specs_rows.BRIEF])[-1]

    # questions and comments

    def question_of(self, row: Row) -> Row | None:
        """What is asked about a spec: about the phase that is meant, else the oldest."""
        asked = [one for one in self._shell.fleet.questions if one["id"] == row["id"]]
        of_phase = [one for one in asked if one.get("part") and one["part"] == row.get(OF_PHASE)]
        return next(iter(of_phase or asked), None)

    def answer(self, rows: list[Row]) -> None:
        """Show what is asked about it, where y and n answer; of a task first what is asked about its quest."""
        row = rows[0]
        task: Row = row.get(OF_TASK) or row
        asked = quests_rows.question_of(task, self._shell.fleet.questions) is not None
        self._inbox.question([task if asked else row])

    def _is_asked(self, row: Row) -> bool:
        """True where anything is asked about a spec, or about the quest of a task."""
        about = (row, row.get(OF_TASK) or row)
        return any(quests_rows.question_of(one, self._shell.fleet.questions) is not None for one in about)

    def send_comments(self, rows: list[Row]) -> None:
        """Send all comments as feedback; without comments, show the question."""
        row = rows[0]
        if self.places(row):
            self._write(row, self.drafts.draft(_place(row)))
        else:
            self.answer(rows)

    def places(self, row: Row) -> list[str]:
        """The places of which comments speak that are not sent."""
        return diff.places(self.drafts.draft(_place(row)))

    def comment(self, rows: list[Row]) -> None:
        """Write about a line of a document; where none is meant, show the document."""
        row = rows[0]
        if SPOT not in row:
            self._read(row)
        elif row[SPOT] is None:
            self._shell.flash("the cursor is not on a line of the document: move it with j k", "slow")
        else:
            self._write(row, diff.with_place(self.drafts.draft(_place(row)), row[SPOT]))

    def _read(self, row: Row) -> None:
        """Show the document that is meant, else the one that the spec is about now."""
        from overmind_tui.specs.document import DocumentPage  # noqa: PLC0415 - only when it is asked for

        phase = row.get(OF_PHASE) or self._edited_phase(row)
        self._shell.open(DocumentPage(self, row, phase, at=row.get(AT_TASK, "")))

    def _write(self, row: Row, draft: str) -> None:
        place, before, arrived = _place(row), self.drafts.draft(_place(row)), False
        opened = self._gate(row)

        def send(composer: Composer, text: str) -> None:
            asked = self._gate(row)
            if asked is None:
                composer.refused(f"nothing is asked about {safe(row['name'])} now: esc keeps the comments until then")
                return
            if opened is None or opened["question"] != asked["question"]:  # the title names no such gate
                composer.refused(f"now {_of(asked, row)} is asked about: esc keeps the comments, m sends them there")
                return

            def on_result(error: OvermindError | None) -> None:
                nonlocal arrived
                if error is not None:
                    composer.refused(safe(error.message))
                    return
                arrived = True
                self.drafts.add(text)
                self._shell.flash(f"{safe(row['name'])}: {_topic(asked)} is done again with your comments", "good")
                composer.done()

            self._answers.answer(asked, {"behaviour": DENY, "message": text}, on_result)

        def keep(text: str) -> None:
            kept = "" if arrived or not text else diff.pruned(text) or before
            self.drafts.keep(place, kept)
            count = len(diff.places(kept))
            if count:
                message = f"{count} comment{'s' * (count != 1)} kept · # adds another, m sends"
                self._shell.flash(message, "quiet")

        title = f"comments · {safe(row['name'])}" if opened is None else f"deny with comments · {_of(opened, row)}"
        note = "esc keeps it; # on another line adds one" + (", m sends all" if opened is not None else "")
        purpose = Purpose(title, send, keep, draft, self.drafts.sent, note, recall=self.drafts.add)
        self._shell.open(Composer(purpose))

    def _gate(self, row: Row) -> Row | None:
        """The gate that comments go to: that of the phase that is meant, else the oldest."""
        found = self.question_of(row)
        if found is not None and found["need"] == EngineNeed.PHASE:
            return found
        asked = (one for one in self._shell.fleet.questions if one["id"] == row["id"])
        return next((one for one in asked if one["need"] == EngineNeed.PHASE), None)


def _can_run(rows: list[Row]) -> bool:
    """True where there are specs or phases among them, or tasks whose quests could be retried."""
    tasks = [row.get(OF_TASK) for row in rows]
    return any(AT_TASK not in row for row in rows) or any(
        task is not None and quests_rows.can_retry(task) for task in tasks
    )


def _place(row: Row) -> list[str]:
    """Where its comments are kept."""
    return [f"spec {row['id']}"]


def _topic(question: Row) -> str:
    return safe(engine_questions.topic(question))


def _of(question: Row, row: Row) -> str:
    return f"{_topic(question)} of {safe(row['name'])}"


def _consequence(row: Row) -> str:
    queued = row["tasks"].get("queued", 0)
    held = f"  {queued} queued quest{'s' * (queued != 1)} would be held" if queued else ""
    return f"{safe(row['name'])}  {row['state']}{held}"


def advanced(answer: Row) -> str:
    """The answer to `spec_run`, in words."""
    if answer["queued"] and answer["phase"] is not None:
        return f"{answer['phase']} queued"
    if answer["synced"]:
        return f"{answer['synced']} tasks queued"
    if answer["question"] is not None:
        return f"waits for question {answer['question']} · y shows it"
    if (held := answer.get("held")) is not None:
        return f"waits: {safe(held['text'])}"
    if answer["phase"] is not None and answer["state"] == "running":
        return f"{answer['phase']} is running"
    return f"nothing to do, it {stands(answer['state'])}"
