"""Facts for the panel that no row has: rules, notes and changes, asked for once the cursor rests.

The stats show all of them; a question shows in which changes it would happen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from overmind_core.errors import OvermindError
from overmind_core.view.diff import DiffFiles, of_api
from overmind_core.view.stats_face import MissionFacts, asks_for
from overmind_tui.missions import diff_panel

if TYPE_CHECKING:
    from collections.abc import Collection

    from overmind_core.view.cells import Row
    from overmind_tui.missions.main_screen import MainScreen

RULES = frozenset({"updated", "restarting", "restart", "started", "notes_given", "note"})
"""Kinds of events after which a mission's rules or notes may be others."""
MOST = 64
"""Missions of which the facts are kept."""
OF_INFO = "notes", "own_rules", "permission_mode", "model", "turns"
"""Facts of `info` that no row of the list has."""

Answers = Sequence[Any | OvermindError]


class Known(NamedTuple):
    """The facts of one mission that its row has not.

    Attributes:
        terms: As `definition` answers; None: nobody knows.
        info: Those of `OF_INFO` that are known.
        found: Its changes; None: nobody knows.
        asked: By which count of events all of them were asked for.
        counted: By which one the changes were.
    """

    terms: Mapping[str, Any] | None = None
    info: Mapping[str, Any] = {}
    found: DiffFiles | None = None
    asked: int = -1
    counted: int = -1


class StatsPanel:
    """The facts of the missions whose stats were in sight.

    Attributes:
        mission: Whose stats are in sight; None: nobody looks at any.
        asking: Whose question is in sight; None: none is.
    """

    def __init__(self, screen: MainScreen) -> None:
        self._screen = screen
        self.mission: str | None = None
        self.asking: str | None = None
        self._known: dict[str, Known] = {}
        """Those looked at last stand at the end."""
        self._count = 0
        """How often something happened after which the facts may be others."""

    def facts(self, row: Row, parent: str) -> MissionFacts:
        """All that is known of a mission now."""
        known = self._known.get(row["id"], Known())
        info = {**row, **known.info}
        return MissionFacts(info, known.terms, known.found, parent, asks=asks_for(info.get("permission_mode")))

    def look(self, mission: str | None) -> None:
        """The stats of this mission are in sight; None: none are."""
        view = self._screen.stats
        if mission != self.mission:
            self.mission = mission
            view.press("first")
            self._ask_soon()
        view.refresh_if_changed()

    def look_at_question(self, mission: str | None) -> None:
        """A question of this mission is in sight; None: none is."""
        if mission != self.asking:
            self.asking = mission
            self._count_soon()

    def changes_of(self, mission: str) -> DiffFiles | None:
        """The changes of a mission, as far as they are known by now."""
        return self._known.get(mission, Known()).found

    def happened(self, kinds: Collection[str]) -> None:
        """Rules, notes or changes may be others now; what is shown stays until they are known."""
        if not diff_panel.CHANGES.isdisjoint(kinds) or not RULES.isdisjoint(kinds):
            self._count += 1
            self._ask_soon()
            self._count_soon()

    def _ask_soon(self) -> None:
        """Not in the frame of a key, and not of a mission that the cursor only passes."""
        if self.mission is not None and self._is_due(self.mission):
            self._screen.set_timer(diff_panel.ASK_SECONDS, partial(self._ask, self.mission))

    def _count_soon(self) -> None:
        """The same, of the changes alone."""
        if self.asking is not None and self._is_uncounted(self.asking):
            self._screen.set_timer(diff_panel.ASK_SECONDS, partial(self._count_changes, self.asking))

    def _is_due(self, mission: str) -> bool:
        return self._known.get(mission, Known()).asked != self._count

    def _is_uncounted(self, mission: str) -> bool:
        return self._known.get(mission, Known()).counted != self._count

    def _ask(self, mission: str) -> None:
        shell = self._screen.shell
        if mission != self.mission or not self._is_due(mission) or shell.fleet.of(mission) is None:
            return
        self._keep(mission, self._known.pop(mission, Known())._replace(asked=self._count))
        for command, came in (("definition", self._defined), ("info", self._told)):
            shell.request(command, [{"id": mission}], partial(came, mission))
        self._request_changes(mission)

    def _count_changes(self, mission: str) -> None:
        if mission == self.asking and self._screen.shell.fleet.of(mission) is not None:
            self._request_changes(mission)

    def _request_changes(self, mission: str) -> None:
        """Ask for the changes, once for each time that they may be others."""
        if self._is_uncounted(mission):
            self._keep(mission, self._known.pop(mission, Known())._replace(counted=self._count))
            self._screen.shell.request("changes", [{"id": mission}], partial(self._changed, mission))

    def _defined(self, mission: str, answers: Answers) -> None:
        (answer,) = answers
        terms = None if isinstance(answer, OvermindError) else answer.get("definition")
        self._learn(mission, terms=terms)

    def _told(self, mission: str, answers: Answers) -> None:
        (answer,) = answers
        told = {} if isinstance(answer, OvermindError) else answer
        self._learn(mission, info={name: told[name] for name in OF_INFO if name in told})

    def _changed(self, mission: str, answers: Answers) -> None:
        (answer,) = answers
        self._learn(mission, found=None if isinstance(answer, OvermindError) else of_api({**answer, "diff": ""}))

    def _learn(self, mission: str, **facts: Any) -> None:  # noqa: ANN401 - fields of `Known`
        if mission in self._known:
            self._known[mission] = self._known[mission]._replace(**facts)
        if mission == self.mission:
            self._screen.stats.refresh_if_changed()
        if mission == self.asking and "found" in facts:
            self._screen.show_question()

    def _keep(self, mission: str, known: Known) -> None:
        self._known[mission] = known
        while len(self._known) > MOST:
            del self._known[next(iter(self._known))]
