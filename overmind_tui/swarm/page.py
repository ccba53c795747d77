"""A table of what the swarm holds: asked through this home's daemon, and not asked at all where there is no swarm."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from overmind_core.errors import OvermindError
from overmind_core.view.cells import Row, safe
from overmind_tui.pages.details import DetailsPage

if TYPE_CHECKING:
    from overmind_core.view.actions import Action
    from overmind_tui.shell.shell import OfSwarm

NO_SWARM = (
    "This home is in no swarm.",
    ":swarm join URL   joins one, by the URL that its owner sends you",
    ":swarm init URL   makes one of a PostgreSQL database",
)
SILENT = ("The swarm is silent.", "The rows appear once it answers.")
Answers = Sequence[Any | OvermindError]


class SwarmTablePage(DetailsPage):
    """Rows that the swarm holds."""

    @property
    def swarm(self) -> OfSwarm | None:
        """The swarm; None where this home is in none."""
        return self.shell.swarm

    def ask(self) -> None:
        """Ask for them anew, where there is a swarm."""
        if self.swarm is not None:
            super().ask()

    def take(self, rows: list[Row]) -> None:
        """Show these, and remember their names for those who type them."""
        if self.swarm is not None:
            self.swarm.learn(self.row.name, self.named(rows))
        super().take(rows)

    def named(self, rows: Sequence[Row]) -> list[str]:
        """What these are called on a line."""
        return [row["name"] for row in rows]

    def _empty(self) -> tuple[str, ...]:
        if self.swarm is None:
            return NO_SWARM
        return super()._empty() if self._loaded or not self.swarm.refusal else SILENT

    def swarm_changed(self) -> None:
        """It may have become silent, or answer again."""
        if not self.is_mounted or self.swarm is None or self._loaded:
            return
        self.rearrange()
        if not self.swarm.refusal:
            self.ask()

    def _silent(self, action: Action, rows: Sequence[Row] | None = None) -> str:
        """Why nothing can be asked of the swarm, a sentence; "": nothing keeps from it."""
        is_own = action.context is self.context and bool(action.verb)
        return self.swarm.refusal if self.swarm is not None and is_own else super()._silent(action, rows)

    # asking

    def get(self, request: str, arguments: Mapping[str, Any], then: Callable[[Any], None]) -> None:
        """Ask for something, and show the answer, unless the person is elsewhere; a refusal is said."""

        def on_result(answers: Answers) -> None:
            (answer,) = answers
            if isinstance(answer, OvermindError):
                self.shell.flash(safe(answer.message), "bad")
            elif self.shell.rests_at(self):
                then(answer)

        self.shell.request(request, [arguments], on_result)

    def change(
        self,
        request: str,
        each: Sequence[Mapping[str, Any]],
        summary: Callable[[Sequence[Any]], str],
        tone: str = "good",
    ) -> None:
        """Ask for changes; flash the `summary` of the answers, and why others were refused; then look again."""

        def on_result(answers: Answers) -> None:
            refused = [one for one in answers if isinstance(one, OvermindError)]
            done = [one for one in answers if not isinstance(one, OvermindError)]
            said = [summary(done)] if done else []
            text = " · ".join([*said, *dict.fromkeys(one.message for one in refused)])
            self.shell.flash(safe(text), "bad" if refused else tone)
            if self.is_attached:
                self.source.ask_again()

        self.shell.request(request, each, on_result)
