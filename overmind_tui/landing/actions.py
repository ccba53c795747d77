"""Actions on worktrees: land, commit, push, discard."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from overmind_core.domain.text.bytestrings import from_wire
from overmind_core.errors import OvermindError
from overmind_core.view import landing as landing_lines
from overmind_core.view import missions as missions_rows
from overmind_core.view import numbers
from overmind_core.view.cells import Row, safe
from overmind_core.view.landing import Wanted
from overmind_tui.pages.compose import COMMIT, Composer, Purpose
from overmind_tui.pages.dialog import Answer, Dialog
from overmind_tui.pages.table import as_now
from overmind_tui.shell import clipboard, external
from overmind_tui.shell.shell import Shell

if TYPE_CHECKING:
    from overmind_tui.landing.dialog import Answers


UNMERGED = "unmerged"


class WorktreeActions:
    """Asks before anything leaves a worktree, or is lost with it."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self.handlers: dict[str, Callable[[list[Row]], object]] = {
            "land": self.land,
            "commit": self.commit,
            "push": self.push,
            "discard": self.discard,
            "copy-path": self.copy_path,
            "shell-there": self.shell_there,
        }
        self._wanted = Wanted()
        """As the last one was landed."""
        self._messages: dict[str, str] = {}
        """Mission → the message of a commit that was not made."""

    # landing

    def land(self, rows: list[Row]) -> None:
        """Show what would come, and merge what the person wants."""
        from overmind_tui.landing.dialog import LandingDialog  # noqa: PLC0415 - only when it is asked for

        row = self._only(rows, "land")
        if row is not None and row.get(missions_rows.QUEST_STATE) == "review":
            self._shell.flash(f"{safe(row['name'])} waits for your review: answer that first", "slow")
        elif row is not None:
            self._shell.open(LandingDialog(row, self._wanted._replace(into=""), self))

    def chosen(self, wanted: Wanted) -> None:
        """Begin with this the next time."""
        self._wanted = wanted

    def _only(self, rows: list[Row], word: str) -> Row | None:
        """The one that is meant; None, with a flash, where there are several, or it has no worktree."""
        if len(rows) > 1:
            self._shell.flash(f"{word}: select one: {len(rows)} are marked", "slow")
            return None
        if not landing_lines.has_one(rows[0]):
            self._shell.flash(landing_lines.without_one(rows[0]), "slow")
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

        def send(composer: Composer, text: str) -> None:
            def on_result(answers: Answers) -> None:
                (answer,) = answers
                if isinstance(answer, OvermindError):
                    composer.refused(answer.message)
                    return
                is_here = composer.is_active
                composer.done()
                files = numbers.counted(landing_lines.count(answer.get("files")), "file")
                self._shell.flash(f"committed {files} of {name}: {safe(answer.get('subject'))}", "good")
                if is_here:  # else the keys that come now are for what was opened meanwhile
                    then()

            self._shell.request("commit", [{"id": mission, "message": text}], on_result)

        def keep(text: str) -> None:
            self._messages[mission] = text

        draft, note = self._messages.get(mission, ""), "commits all changes of the worktree; hooks run"
        self._shell.open(Composer(Purpose(f"commit · {name}", send, keep, draft, (), note, COMMIT)))

    # pushing

    def push(self, rows: list[Row]) -> None:
        """Push the branch."""
        row = self._only(rows, "push")
        if row is None:
            return
        name = safe(row["name"])
        self._shell.flash(f"pushing {name} …", "quiet")

        def on_result(answers: Answers) -> None:
            (answer,) = answers
            if isinstance(answer, OvermindError):
                self._shell.flash(f"{name}: {safe(answer.message)}", "bad")
            else:
                left = landing_lines.count(answer.get("uncommitted"))
                tail = f" · {numbers.counted(left, 'file')} not committed, not pushed" if left else ""
                self._shell.flash(f"pushed {safe(answer['branch'])} to {safe(answer['remote'])}{tail}", "good")

        self._shell.request("push", [{"id": row["id"], "remote": None}], on_result)

    # discarding

    def discard(self, rows: list[Row]) -> None:
        """Remove it with its branch, ports and containers; work that is nowhere else only after a second question."""
        row = self._only(rows, "discard")
        if row is None:
            return
        known = self._shell.fleet.of(row["id"])
        if known is not None and missions_rows.is_live(known):
            self._shell.flash(f"{safe(row['name'])} is {known['status']}: stop it first", "slow")
            return
        answers = [
            Answer(("y",), "discard", lambda: self._discard(row), "bad"),
            Answer(("n",), "cancel", lambda: None),
        ]
        page = self._shell.app.screen

        def lines() -> list[str]:
            return landing_lines.at_stake(as_now(page, [row])[0])

        self._shell.open(Dialog(f"discard {safe(row['name'])}?", lines(), answers, first=1, renewed=lines))

    def _discard(self, row: Row, *, force: bool = False) -> None:
        name = safe(row["name"])
        self._shell.flash(f"discarding {name} …", "quiet")
        expected = None if force else self._shell.expect_view()

        def on_result(answers: Answers) -> None:
            (answer,) = answers
            if expected is not None and isinstance(answer, OvermindError) and answer.code == UNMERGED:
                if expected.came():
                    self._ask_twice(row, answer)
                else:
                    self._shell.flash(f"{name}: nothing removed, work would be lost · ctrl-d asks again", "slow")
                return
            if expected is not None:
                expected.unneeded()
            if isinstance(answer, OvermindError):
                self._shell.flash(f"{name}: {safe(answer.message)}", "bad")
            else:
                self._shell.flash(f"discarded {landing_lines.removed_line(answer)}", "good")

        self._shell.request("discard", [{"id": row["id"], "force": force}], on_result)

    def _ask_twice(self, row: Row, error: OvermindError) -> None:
        """What would be lost for good, by another key than the first question's."""
        lines = [*(landing_lines.lost(error.fields) or [safe(error.message)]), "", "this cannot be undone"]
        answers = [
            Answer(("f",), "discard it all", lambda: self._discard(row, force=True), "bad"),
            Answer(("n",), "keep it", lambda: self._shell.flash("nothing removed", "quiet")),
        ]
        self._shell.open(Dialog(f"discard the work of {safe(row['name'])}?", lines, answers, first=1))

    # beside

    def copy_path(self, rows: list[Row]) -> None:
        """Where they are, each on a line of its own."""
        paths = [landing_lines.folder(row) for row in rows]
        what = safe(paths[0]) if len(paths) == 1 else f"{len(paths)} paths"
        clipboard.copy(self._shell, "\n".join(paths), what)

    def shell_there(self, rows: list[Row]) -> None:
        """A shell in it: in the environment of its mission, as long as there is one."""
        row = rows[0]
        known, folder = self._shell.fleet.of(row["id"]), from_wire(landing_lines.folder(row))
        if known is not None:
            self._shell.act("shell", [known])
        elif not os.path.isdir(folder):
            self._shell.flash(f"{safe(row['name'])}: its worktree {safe(folder)} does not exist", "bad")
        else:
            argv = [self._shell.world.environ.get("SHELL", "/bin/sh")]
            external.run_shell(self._shell, argv, folder, safe(row["name"]))
