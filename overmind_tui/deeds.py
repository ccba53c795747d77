"""What keys do to missions: on the ids that were seen when the key was pressed, and never on a row that just moved."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from overmind_core.errors import OvermindError
from overmind_core.wire.bytestrings import to_wire
from overmind_tui.actions import Action, Danger, Needs, allowed
from overmind_tui.screens.dialog import Answer, Dialog
from overmind_tui.screens.form import Form
from overmind_tui.view import missions
from overmind_tui.view.cells import Row, safe

if TYPE_CHECKING:
    from overmind_tui.app import OvermindApp
    from overmind_tui.screens.missions import MissionsScreen

FORM_FIELDS = {"name_taken": "name", "cwd_not_found": "cwd", "provider_missing": "command", "empty_command": "command"}
"""Error → the entry of the form that is wrong."""
Answers = Sequence[Any | OvermindError]


class Deeds:
    """The actions of the missions table."""

    def __init__(self, app: OvermindApp) -> None:
        self._app = app

    def act(self, screen: MissionsScreen, action: Action) -> bool:
        """Do the action if it is one of ours; False when it isn't."""
        do = getattr(self, "_" + action.name.replace("-", "_"), None)
        if do is None:
            return False
        if not allowed(action, read_only=self._app.read_only):
            self._app.flash(f"read-only: {action.label} is off", "slow")
            return True
        if action.danger is Danger.ENDS_WORK and screen.table.restless:
            self._app.flash("the row under the cursor just changed: look again, then press the key", "slow")
            return True
        targets = self.targets(screen)
        if action.needs is Needs.LIVE:
            live = [row for row in targets if missions.is_live(row)]
            if targets and not live:
                self._app.flash(f"{safe(targets[0]['name'])} is {targets[0]['status']} already", "slow")
                return True
            targets = live
        if action.needs is Needs.NOTHING or targets:
            do(screen, targets)
        return True

    def targets(self, screen: MissionsScreen) -> list[Row]:
        """The marked rows that are shown, else the cursor's."""
        shown = {branch.id: branch.row for branch in screen.table.branches}
        marked = [shown[one] for one in shown if one in screen.table.marked]
        if marked or screen.table.marked:
            return marked
        current = screen.table.current
        return [] if current is None else [current.row]

    # ending work

    def _stop(self, screen: MissionsScreen, rows: list[Row]) -> None:
        del screen
        self._ask("stop", rows, lambda: self._each("stop", rows, "stopped"))

    def _kill(self, screen: MissionsScreen, rows: list[Row]) -> None:
        leaf = len(rows) == 1 and not any(row["parent"] == rows[0]["id"] and missions.is_live(row) for row in self._all)
        if leaf and not screen.table.marked and not self._app.settings.confirm_kill:
            self._killed(rows)
        else:
            self._ask("kill", rows, lambda: self._killed(rows))

    def _killed(self, rows: list[Row]) -> None:
        self._each("kill", rows, "killed", tail=" · r starts it again")

    def _restart(self, screen: MissionsScreen, rows: list[Row]) -> None:
        del screen
        if any(missions.is_live(row) for row in rows):
            self._ask("restart", rows, lambda: self._each("restart", rows, "restarted"))
        else:
            self._each("restart", rows, "restarted")

    def _remove(self, screen: MissionsScreen, rows: list[Row]) -> None:
        del screen
        live = [row for row in rows if missions.is_live(row)]
        if live:
            self._app.flash(f"{safe(live[0]['name'])} is {live[0]['status']}: stop it first", "slow")
            return
        self._ask("remove", rows, lambda: self._each("rm", rows, "removed"))

    def _ask(self, word: str, rows: list[Row], then: Callable[[], None]) -> None:
        """What would end, how long it ran, and what hangs on it."""
        now = self._app.now()
        lines = [f"{safe(row['name'])}  {missions.since(row, now)}" for row in rows[:8]]
        if len(rows) > 8:  # noqa: PLR2004 - as many as a small screen shows
            lines.append(f"… and {len(rows) - 8} more")
        names = {row["id"] for row in rows}
        below = [
            row for row in self._all if row["parent"] in names and row["id"] not in names and missions.is_live(row)
        ]
        if below and word != "remove":
            lines += ["", f"{len(below)} live below it stay: {', '.join(safe(row['name']) for row in below[:3])}"]
        title = f"{word} {len(rows)} missions?" if len(rows) > 1 else f"{word} {safe(rows[0]['name'])}?"
        answers = [Answer(("y",), word, then, "bad"), Answer(("n",), "cancel", lambda: None)]
        self._app.open(Dialog(title, lines, answers, first=1))

    def _each(self, command: str, rows: list[Row], done: str, *, tail: str = "") -> None:
        names = {row["id"]: safe(row["name"]) for row in rows}
        first = next(iter(names.values()))
        self._app.flash(f"{command} {first} …" if len(rows) == 1 else f"{command} {len(rows)} missions …", "quiet")

        def told(answers: Answers) -> None:
            failed = [(name, one) for name, one in zip(names.values(), answers, strict=True)
                      if isinstance(one, OvermindError)]  # fmt: skip
            text = f"{done} {first}{tail}" if len(rows) == 1 else f"{done} {len(rows) - len(failed)} of {len(rows)}"
            if failed and len(rows) == 1:
                text = f"{first}: {failed[0][1].message}"
            elif failed:
                text += " · " + ", ".join(f"{name}: {error.code}" for name, error in failed[:3])
            self._app.flash(text, "bad" if failed else "good")

        self._app.request(command, [{"id": one} for one in names], told)

    # starting

    def _new(self, screen: MissionsScreen, rows: list[Row]) -> None:
        del screen
        form = Form(lambda values: self._start(form, values), cwd=rows[0]["cwd"] if rows else self._app.folder)
        self._app.open(form)

    def _start(self, form: Form, values: dict[str, str]) -> None:
        request = self._app.world() | {"command": values["command"], "restart": values["restart"]}
        request["cwd"] = to_wire(os.path.join(self._app.folder, os.path.expanduser(values["cwd"] or ".")))
        if values["name"]:
            request["name"] = values["name"]

        def told(answers: Answers) -> None:
            (answer,) = answers
            if isinstance(answer, OvermindError):
                form.refused(FORM_FIELDS.get(answer.code, _field_of(answer)), answer.message)
                return
            form.dismiss()
            self._app.flash(f"started {answer['name']}", "good")
            self._app.select_soon(answer["id"])

        self._app.request("run", [request], told)

    # looking

    def _describe(self, screen: MissionsScreen, rows: list[Row]) -> None:
        del screen
        self._app.commands.describe(rows[0])

    def _parent(self, screen: MissionsScreen, rows: list[Row]) -> None:
        if not screen.table.select(rows[0]["parent"] or ""):
            self._app.flash(f"{safe(rows[0]['name'])} has no parent here", "slow")

    def _fold(self, screen: MissionsScreen, rows: list[Row]) -> None:
        del rows
        current = screen.table.current
        if current is None:
            return
        brood = any(row["parent"] == current.id for row in self._all)
        if brood and current.id not in screen.folded and not screen.flat:
            screen.folded.add(current.id)
            screen.rearrange(asked=True)
        else:
            screen.table.select(current.row["parent"] or "")

    def _unfold(self, screen: MissionsScreen, rows: list[Row]) -> None:
        del rows
        screen.folded.discard(screen.table.cursor_id or "")
        screen.rearrange(asked=True)

    # marks

    def _mark(self, screen: MissionsScreen, rows: list[Row]) -> None:
        del rows
        current = screen.table.current
        if current is not None:
            screen.table.marked ^= {current.id}
            screen.table.press("down")
            screen.retitle()

    def _mark_all(self, screen: MissionsScreen, rows: list[Row]) -> None:
        del rows
        screen.table.marked = {branch.id for branch in screen.table.branches if not branch.dimmed}
        screen.table.refresh()
        screen.retitle()

    def _mark_none(self, screen: MissionsScreen, rows: list[Row]) -> None:
        del rows
        screen.table.marked.clear()
        screen.table.refresh()
        screen.retitle()

    @property
    def _all(self) -> Sequence[Row]:
        return list(self._app.fleet.rows.values())


def _field_of(error: OvermindError) -> str:
    return "name" if "name" in error.message.lower() else "command"
