"""Actions on rows: done to the ids that were seen when the key was pressed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.view import hints
from overmind_core.view import missions as rows
from overmind_core.view.actions import NO_MISSION, Action, Context, Needs
from overmind_core.view.cells import Row, safe
from overmind_tui.inbox.actions import AnswerActions, InboxActions
from overmind_tui.inbox.messages import MessageActions
from overmind_tui.landing.actions import WorktreeActions
from overmind_tui.missions.actions_end import CopyActions, EndActions
from overmind_tui.missions.actions_look import ViewActions
from overmind_tui.missions.actions_start import StartActions
from overmind_tui.notes.actions import NoteActions
from overmind_tui.quests.actions import QuestActions
from overmind_tui.schedules.page import ScheduleActions
from overmind_tui.shell.find_page import FindActions
from overmind_tui.shell.shell import RowSelection, Shell
from overmind_tui.specs.actions import SpecActions

if TYPE_CHECKING:
    from overmind_tui.command_line.jobs import Jobs
    from overmind_tui.inbox.messages import Drafts
    from overmind_tui.shell.remembered import Remembered


Doing = Callable[[list[Row]], object]
"""What an action does to rows."""


def action_groups(shell: Shell, jobs: Jobs, drafts: Drafts, remembered: Remembered) -> ActionGroups:
    """Who does what, with what each needs of the others."""
    messages = MessageActions(shell, drafts)
    answers = AnswerActions(shell, drafts)
    inbox = InboxActions(shell, answers)
    return ActionGroups(
        EndActions(shell), StartActions(shell, remembered), ViewActions(shell, jobs, messages), messages,
        CopyActions(shell), inbox, WorktreeActions(shell), ScheduleActions(shell), QuestActions(shell),
        SpecActions(shell, answers, drafts, inbox), NoteActions(shell, drafts), FindActions(shell),
    )  # fmt: skip


class ActionGroups(NamedTuple):
    """Who does what to rows, each by a table of handlers."""

    end: EndActions
    start: StartActions
    view: ViewActions
    messages: MessageActions
    copying: CopyActions
    inbox: InboxActions
    worktrees: WorktreeActions
    schedules: ScheduleActions
    quests: QuestActions
    specs: SpecActions
    notes: NoteActions
    finding: FindActions


class RowActions:
    """Does an action of the table, if it is one on rows, with the rows that are meant."""

    def __init__(self, shell: Shell, action_groups: ActionGroups) -> None:
        self._shell = shell
        self.handlers: dict[str, Doing] = {}
        self._conditions = {
            **action_groups.end.conditions, **action_groups.specs.conditions, **action_groups.notes.conditions,
        }  # fmt: skip
        for topic in action_groups:
            if both := self.handlers.keys() & topic.handlers.keys():
                raise ValueError(f"two handlers of {sorted(both)}")
            self.handlers |= topic.handlers

    def does(self, name: str) -> bool:
        """Whether an action is one on rows."""
        return name in self.handlers

    def do(self, name: str, rows: list[Row]) -> None:
        """Do it to these rows, whatever is selected."""
        self.handlers[name](rows)

    def refused_actions(self, page: RowSelection, context: Context) -> frozenset[str]:
        """Names of the actions of a context that would do nothing to what is meant on a page."""
        known = hints.actions_of(context)
        return hints.refused({
            name: can(_meant(page, known[name])) for name, can in self._conditions.items() if name in known
        })  # fmt: skip

    def act(self, page: RowSelection, action: Action) -> bool:
        """Do the action, if it is one of ours and allowed by now; False when it isn't ours."""
        do = self.handlers.get(action.name)
        if do is None:
            return False
        targets = _meant(page, action)
        if action.needs is Needs.LIVE:
            live = [row for row in targets if rows.is_live(row)]
            if targets and not live:
                self._shell.flash(f"{safe(targets[0]['name'])} {rows.ended(targets[0])}", "slow")
                return True
            targets = live
        if action.needs is Needs.NOTHING or targets:
            do(targets)
        else:
            what = action.needs.value.removeprefix("a ") if action.needs in NO_MISSION else "mission"
            self._shell.flash(f"{action.label}: no {what} is selected here", "slow")
        return True


def _meant(page: RowSelection, action: Action) -> list[Row]:
    """The rows of a page that an action is done to."""
    needs_mission = action.needs is not Needs.NOTHING and action.needs not in NO_MISSION
    return page.targets() if needs_mission else page.chosen()
