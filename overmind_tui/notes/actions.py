"""Actions on notes: accept, pin, vote, edit, write, forget, take back."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from overmind_core.errors import OvermindError
from overmind_core.view import notes as notes_rows
from overmind_core.view.cells import Row, clipped, safe
from overmind_core.view.note_marks import GONE
from overmind_tui.command_line.jobs import PROGRAM
from overmind_tui.notes.asking import folder, without_secrets
from overmind_tui.pages.compose import SAVE, Composer, Purpose
from overmind_tui.pages.table import TablePage
from overmind_tui.shell import external

if TYPE_CHECKING:
    from overmind_tui.inbox.messages import Drafts
    from overmind_tui.shell.shell import Shell

Answers = Sequence[Any | OvermindError]
DRAFT = ("a note",)
"""Under which a note that was begun is kept."""
_REQUEST_KEY = 16
"""Bytes: a note that is sent again is known by it."""
SIMILAR = 40
"""Cells of a similar note that are shown."""


class NoteActions:
    """Decides on notes, and writes them. None of it ends work, and what was forgotten can be taken back."""

    def __init__(self, shell: Shell, drafts: Drafts) -> None:
        self._shell = shell
        self._drafts = drafts
        self._forgotten: list[list[str]] = []
        """Ids that were forgotten here, the last ones last."""
        self.handlers: dict[str, Callable[[list[Row]], object]] = {
            "accept-note": self.accept,
            "pin-note": self.pin,
            "note-helped": lambda rows: self._vote(rows, helped=True),
            "note-hurt": lambda rows: self._vote(rows, helped=False),
            "edit-note": self.edit,
            "new-note": self.new,
            "forget-note": self.forget,
            "restore-note": self.restore,
        }
        self.conditions: dict[str, Callable[[list[Row]], bool]] = {
            "accept-note": lambda rows: bool(_proposed(rows)),
            "forget-note": lambda rows: bool(_forgettable(rows)),
            "restore-note": lambda rows: bool(self._restorable(rows)),
        }
        """Action → whether it does anything to these rows."""

    def accept(self, rows: list[Row]) -> None:
        """From now on these are given."""
        if proposed := _proposed(rows):
            self._set(proposed, "accept", f"accepted {_named(proposed)} · new conversations are given what fits")
        else:
            self._shell.flash(f"{rows[0]['id']} is {notes_rows.state(rows[0])}: y accepts what is proposed", "slow")

    def pin(self, rows: list[Row]) -> None:
        """Give these always; when all of them are pinned, no longer."""
        loose = [row["id"] for row in rows if not row["pinned"]]
        if loose:
            self._set(loose, "pin", f"pinned {_named(loose)} · each new conversation of the scope is given it")
        else:
            ids = [row["id"] for row in rows]
            self._set(ids, "unpin", f"unpinned {_named(ids)}")

    def _vote(self, rows: list[Row], *, helped: bool) -> None:
        ids = [row["id"] for row in rows]

        def voted(answer: Row) -> str:
            counts = [f"{one['id']}: helped {one['helped']}, hurt {one['hurt']}" for one in answer["notes"]]
            return counts[0] if len(counts) == 1 else f"{len(counts)} notes {'helped' if helped else 'hurt'}"

        self._ask("outcome", [{"notes": ids, "helped": helped}], lambda answers: voted(answers[0]))

    def forget(self, rows: list[Row]) -> None:
        """Give these to nobody, and find them no more."""
        ids = _forgettable(rows)
        if not ids:
            self._shell.flash(f"{rows[0]['id']} is {notes_rows.state(rows[0])} already", "slow")
            return

        def forgot(_answers: Answers) -> str:
            self._forgotten.append(ids)
            return f"forgot {_named(ids)} · shift-u takes it back"

        self._ask("forget", [{"notes": ids}], forgot)

    def restore(self, rows: list[Row]) -> None:
        """Take back what is forgotten of these, else what was forgotten here last."""
        ids = self._restorable(rows)
        if not ids:
            self._shell.flash("nothing was forgotten here · :notes all shows what was forgotten before", "slow")
            return
        self._forgotten = [left for one in self._forgotten if (left := [id_ for id_ in one if id_ not in ids])]
        self._set(ids, "restore", f"restored {_named(ids)}")

    def _restorable(self, rows: list[Row]) -> list[str]:
        """Ids of the notes that would be taken back."""
        ids = [row["id"] for row in rows if row["state"] == "forgotten"]
        return ids or next(iter(self._forgotten[-1:]), [])

    # written

    def edit(self, rows: list[Row]) -> None:
        """Have its text changed in the person's editor."""
        shell, note = self._shell, rows[0]["id"]

        def edited(code: int) -> None:
            shell.flash(f"{note} was not changed" if code else f"{note} is as your editor left it", "quiet")
            self._again()

        argv = ["/bin/sh", "-c", external.UNTIL_READ, "sh", *PROGRAM, "note", "edit", note]
        environ = {**shell.world.environ, "OVERMIND_HOME": shell.home.root}
        cwd = shell.world.folder
        external.run(shell, argv, cwd=cwd if os.path.isdir(cwd) else "/", then=edited, environ=environ)

    def new(self, _rows: list[Row]) -> None:
        """Write one."""
        note = "a fact of this repository · :remember --kind gotcha TEXT for other kinds"
        draft = self._drafts.draft(DRAFT)
        self._shell.open(Composer(Purpose("new note", self._remember, self._keep, draft, (), note, SAVE)))

    def _keep(self, text: str) -> None:
        self._drafts.keep(DRAFT, text)

    def _remember(self, box: Composer, text: str) -> None:
        def on_result(answers: Answers) -> None:
            (answer,) = answers
            if isinstance(answer, OvermindError):
                box.refused(answer.message)
                return
            box.done()
            self._shell.flash(remembered(answer), "good" if answer["new"] else "slow")
            self._again()

        hidden = without_secrets(self._shell, text)
        asked = {"text": hidden.text, "redacted": hidden.secrets, "cwd": folder(self._shell),
                 "request": os.urandom(_REQUEST_KEY).hex()}  # fmt: skip
        self._shell.request("remember", [asked], on_result)

    # asking

    def _set(self, notes: Sequence[str], change: str, done: str) -> None:
        asked = [{"note": one, "change": change} for one in notes]

        def said(answers: Sequence[Any]) -> str:
            # A hive of an earlier version does not say whether it changed anything.
            has_changed = any(one.get("changed", True) for one in answers)
            return done if has_changed else f"{_named(notes)} stood so already"

        self._ask("note_set", asked, said)

    def _ask(
        self, command: str, requests: Sequence[Mapping[str, Any]], done: Callable[[Sequence[Any]], str]
    ) -> None:  # fmt: skip
        """Ask for it, and say what became of it; of a refusal why."""

        def on_result(answers: Answers) -> None:
            refused = [one for one in answers if isinstance(one, OvermindError)]
            taken = len(answers) - len(refused)
            some = f"{taken} of {len(answers)} notes done · " if refused and taken else ""
            text = some + refused[0].message if refused else done(answers)
            self._shell.flash(safe(text), "bad" if refused else "good")
            self._again()

        located = [{**one, "cwd": folder(self._shell)} for one in requests]
        self._shell.request(command, located, on_result)

    def _again(self) -> None:
        page = self._shell.app.screen
        if isinstance(page, TablePage):
            page.source.ask_again()


def _proposed(rows: list[Row]) -> list[str]:
    """Ids of the notes that wait for a person to accept them."""
    return [row["id"] for row in rows if row["state"] == "proposed"]


def _forgettable(rows: list[Row]) -> list[str]:
    """Ids of the notes that can still be forgotten."""
    return [row["id"] for row in rows if notes_rows.mark(row) is not GONE]


def _named(notes: Sequence[str]) -> str:
    return notes[0] if len(notes) == 1 else f"{len(notes)} notes"


def remembered(answer: Row) -> str:
    """The text about a note that was written, with those that are like it."""
    if not answer["new"]:
        return f"already known: {answer['id']}"
    word = "proposed" if answer["state"] == "proposed" else "remembered"
    alike = [f"similar: {one['id']} {clipped(safe(one['text']), SIMILAR)}" for one in answer["similar"][:1]]
    count = answer["redacted"]
    secrets = [f"{count} secret{'s' * (count != 1)} redacted"] if count else []
    return safe(" · ".join([f"{word} {answer['id']} ({answer['kind']}, {answer['scope']})", *secrets, *alike]))
