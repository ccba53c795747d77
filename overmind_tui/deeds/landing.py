"""What keys do to worktrees: land them, commit in them, push them, discard them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from overmind_core.errors import OvermindError
from overmind_core.wire.bytestrings import from_wire
from overmind_tui.machine import clipboard, outside
from overmind_tui.screens.box import COMMIT, Box, Purpose
from overmind_tui.screens.dialog import Answer, Dialog
from overmind_tui.screens.landing import LandScreen
from overmind_tui.view import landing, missions, worktrees
from overmind_tui.view.cells import Row, safe
from overmind_tui.view.landing import Wanted

if TYPE_CHECKING:
    from overmind_tui.app import OvermindApp

Answers = Sequence[Any | OvermindError]
UNMERGED = "unmerged"


class Landing:
    """Asks before anything leaves a worktree, or is lost with it."""

    def __init__(self, app: OvermindApp) -> None:
        self._app = app
        self._wanted = Wanted()
        """As the last one was landed."""
        self._messages: dict[str, str] = {}
        """Mission → the message of a commit that was not made."""

    # landing

    def land(self, rows: list[Row]) -> None:
        """Show what would come, and merge what the person wants."""
        row = self._only(rows, "land")
        if row is not None:
            self._app.open(LandScreen(row, self._wanted._replace(into=""), self))

    def chosen(self, wanted: Wanted) -> None:
        """Begin with this the next time."""
        self._wanted = wanted

    def _only(self, rows: list[Row], word: str) -> Row | None:
        """The one that is meant; None, with a flash, where there are several, or it has no worktree."""
        if len(rows) > 1:
            self._app.flash(f"{word}: one at a time, and {len(rows)} are marked", "slow")
            return None
        if not worktrees.has_one(rows[0]):
            name = safe(rows[0]["name"])
            self._app.flash(f"{name} has no worktree of its own · run --isolate gives a mission one", "slow")
            return None
        return rows[0]

    # committing

    def commit(self, rows: list[Row]) -> None:
        """Commit everything in it, with a message of the person's."""
        row = self._only(rows, "commit")
        if row is not None:
            self.commit_first(row, lambda: None)

    def commit_first(self, row: Row, then: Callable[[], None]) -> None:
        """Ask for a message, commit, and go on."""
        mission, name = row["id"], safe(row["name"])

        def send(box: Box, text: str) -> None:
            def told(answers: Answers) -> None:
                (answer,) = answers
                if isinstance(answer, OvermindError):
                    box.refused(answer.message)
                    return
                box.done()
                files = landing.counted(landing.count(answer.get("files")), "file")
                self._app.flash(f"committed {files} of {name}: {safe(answer.get('subject'))}", "good")
                then()

            self._app.request("commit", [{"id": mission, "message": text}], told)

        def keep(text: str) -> None:
            self._messages[mission] = text

        draft, note = self._messages.get(mission, ""), "everything in its worktree is committed; hooks run"
        self._app.open(Box(Purpose(f"commit · {name}", send, keep, draft, (), note, COMMIT)))

    # pushing

    def push(self, rows: list[Row]) -> None:
        """Push the branch."""
        row = self._only(rows, "push")
        if row is None:
            return
        name = safe(row["name"])
        self._app.flash(f"push {name} …", "quiet")

        def told(answers: Answers) -> None:
            (answer,) = answers
            if isinstance(answer, OvermindError):
                self._app.flash(f"{name}: {safe(answer.message)}", "bad")
            else:
                left = landing.count(answer.get("uncommitted"))
                tail = f" · {landing.counted(left, 'file')} not committed: not among it" if left else ""
                self._app.flash(f"pushed {safe(answer['branch'])} to {safe(answer['remote'])}{tail}", "good")

        self._app.request("push", [{"id": row["id"], "remote": None}], told)

    # discarding

    def discard(self, rows: list[Row]) -> None:
        """Remove it with its branch, ports and containers; work that is nowhere else only after a second question."""
        row = self._only(rows, "discard")
        if row is None:
            return
        known = self._app.fleet.of(row["id"])
        if known is not None and missions.is_live(known):
            self._app.flash(f"{safe(row['name'])} is {known['status']}: stop it first", "slow")
            return
        answers = [
            Answer(("y",), "discard", lambda: self._discard(row), "bad"),
            Answer(("n",), "cancel", lambda: None),
        ]
        self._app.open(Dialog(f"discard {safe(row['name'])}?", landing.at_stake(row), answers, first=1))

    def _discard(self, row: Row, *, force: bool = False) -> None:
        name = safe(row["name"])
        self._app.flash(f"discard {name} …", "quiet")

        def told(answers: Answers) -> None:
            (answer,) = answers
            if not isinstance(answer, OvermindError):
                self._app.flash(f"discarded {name}: {safe(answer.get('branch'))} and its worktree are gone", "good")
            elif answer.code == UNMERGED and not force:
                self._ask_twice(row, answer)
            else:
                self._app.flash(f"{name}: {safe(answer.message)}", "bad")

        self._app.request("discard", [{"id": row["id"], "force": force}], told)

    def _ask_twice(self, row: Row, error: OvermindError) -> None:
        """What would be lost for good, by another key than the first question's."""
        lines = [*(landing.lost(error.fields) or [safe(error.message)]), "", "nothing brings it back"]
        answers = [
            Answer(("f",), "lose it all", lambda: self._discard(row, force=True), "bad"),
            Answer(("n",), "keep it", lambda: self._app.flash("nothing was removed", "quiet")),
        ]
        self._app.open(Dialog(f"lose the work of {safe(row['name'])}?", lines, answers, first=1))

    # beside

    def copy_path(self, rows: list[Row]) -> None:
        """Where they are, each on a line of its own."""
        paths = [worktrees.folder(row) for row in rows]
        what = safe(paths[0]) if len(paths) == 1 else f"{len(paths)} paths"
        clipboard.copy(self._app, "\n".join(paths), what)

    def shell_there(self, rows: list[Row]) -> None:
        """A shell in it: in the environment of its mission, as long as there is one."""
        row = rows[0]
        known, folder = self._app.fleet.of(row["id"]), from_wire(worktrees.folder(row))
        if known is not None:
            self._app.deeds.starting.shell([known])
        elif not os.path.isdir(folder):
            self._app.flash(f"{safe(row['name'])}: its worktree {safe(folder)} is not there", "bad")
        else:
            argv = [self._app.world.environ.get("SHELL", "/bin/sh")]
            outside.run(self._app, argv, cwd=folder, then=lambda _: self._app.flash(f"back from {safe(folder)}"))
