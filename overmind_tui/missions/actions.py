"""What keys do to missions: on the ids that were seen when the key was pressed, and never on a row that just moved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from overmind_tui.inbox.actions import Answering
from overmind_tui.inbox.messages import Talking
from overmind_tui.inbox.page import Needing
from overmind_tui.landing.page import Landing
from overmind_tui.missions import rows
from overmind_tui.missions.actions_end import Copying, Ending
from overmind_tui.missions.actions_look import Looking
from overmind_tui.missions.actions_start import Starting
from overmind_tui.render.cells import Row, safe
from overmind_tui.schedules.page import Scheduling
from overmind_tui.shell.actions import NO_MISSION, Action, Danger, Needs

if TYPE_CHECKING:
    from overmind_tui.app import OvermindApp


class Rows(Protocol):
    """A page with missions, quests or rituals on it."""

    def targets(self) -> list[Row]:
        """Which missions an action would meet: the marked ones that are shown, else the cursor's."""

    def chosen(self) -> list[Row]:
        """Which rows of any kind."""

    @property
    def restless(self) -> bool:
        """Whether the cursor's row left or moved a moment ago, without a key of the person."""


class Deeds:
    """Finds who does an action, and with which missions.

    A topic is an object with a method `<action>(rows)` for each of its actions, `-` written as `_`.
    """

    def __init__(self, app: OvermindApp) -> None:
        self._app = app
        self.ending, self.starting, self.looking = Ending(app), Starting(app), Looking(app)
        self.talking, self.copying = Talking(app), Copying(app)
        self.answering, self.needing, self.landing = Answering(app), Needing(app), Landing(app)
        self.topics: Sequence[object] = (
            self.ending, self.starting, self.looking, self.talking, self.copying, self.needing, self.landing,
            Scheduling(app),
        )  # fmt: skip

    def act(self, page: Rows, action: Action) -> bool:
        """Do the action, if it is one of ours and allowed by now; False when it isn't ours."""
        name = action.name.replace("-", "_")
        topic = next((topic for topic in self.topics if hasattr(topic, name)), None)
        if topic is None:
            return False
        if action.danger is Danger.ENDS_WORK and page.restless:
            self._app.flash("the row under the cursor just changed: look again, then press the key", "slow")
            return True
        targets = page.chosen() if action.needs in NO_MISSION else page.targets()
        if action.needs is Needs.LIVE:
            live = [row for row in targets if rows.is_live(row)]
            if targets and not live:
                self._app.flash(f"{safe(targets[0]['name'])} is {targets[0]['status']} already", "slow")
                return True
            targets = live
        if action.needs is Needs.NOTHING or targets:
            getattr(topic, name)(targets)
        else:
            what = action.needs.value.removeprefix("a ") if action.needs in NO_MISSION else "mission"
            self._app.flash(f"{action.label}: no {what} is selected here", "slow")
        return True
