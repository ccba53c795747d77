"""How it is found out what changed: the supervisor is asked; of what it can't tell, git itself is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Any

from overmind_core.errors import OvermindError
from overmind_core.wire.bytestrings import from_wire
from overmind_tui.machine import git
from overmind_tui.messages import Done
from overmind_tui.view import amounts, changes, worktrees
from overmind_tui.view.cells import Row
from overmind_tui.view.changes import Found, Text

if TYPE_CHECKING:
    from overmind_tui.app import OvermindApp

Answers = Sequence[Any | OvermindError]
SHORT = 100_000
"""Characters of a diff that is drawn at once."""


class ChangeSource:
    """Asks.

    Args:
        row: The mission, or the row of its worktree.
        show: Gets what was found, and it as a text.
        fail: Gets why nothing was.
    """

    def __init__(self, row: Row, show: Callable[[Found, Text], None], fail: Callable[[str], None]) -> None:
        self._row = row
        self._show = show
        self._fail = fail

    def ask(self, app: OvermindApp) -> None:
        """Ask anew."""

        def told(answers: Answers) -> None:
            (answer,) = answers
            if not isinstance(answer, OvermindError):
                self._take(app, changes.of_api(answer))
            elif worktrees.has_one(self._row):
                self._fail(answer.message)
            else:
                self._ask_git(app)

        app.request("changes", [{"id": self._row["id"]}], told)

    def _take(self, app: OvermindApp, found: Found) -> None:
        """A long diff takes its time to be drawn; nobody waits for that."""
        if len(found.diff) < SHORT:
            self._show(found, changes.text(found))
            return

        def work() -> None:
            text = changes.text(found)
            app.post_message(Done(lambda: self._show(found, text)))

        app.run_worker(work, thread=True, group="git", exit_on_error=False)

    def _ask_git(self, app: OvermindApp) -> None:
        """Look into its folder from here."""
        folder, since = from_wire(self._row["cwd"]), self._row.get("started_at")

        def work() -> None:
            try:
                answer = git.changes(folder, app.world.environ, since=since)
            except git.NoGit as error:
                said = str(error)
                app.post_message(Done(lambda: self._fail(said)))
                return
            found = changes.of_git(*answer, _shown(since, app.zone))
            text = changes.text(found)
            app.post_message(Done(lambda: self._show(found, text)))

        app.run_worker(work, thread=True, group="git", exit_on_error=False)


def _shown(since: str | None, zone: tzinfo | None) -> str:
    wall = amounts.moment(since)
    return "" if wall is None else datetime.fromtimestamp(wall, zone).strftime("%Y-%m-%d %H:%M")
