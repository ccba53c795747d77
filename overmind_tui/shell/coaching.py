"""The first steps of a new person: said in the line of the missions until each was done once, and remembered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_core.view import prompt
from overmind_core.view.actions import Context

if TYPE_CHECKING:
    from overmind_tui.shell.remembered import Remembered
    from overmind_tui.shell.shell import Shell

COACHED = "coached"
"""The name by which the steps that were done are remembered."""
STEPS = frozenset(name for name, _ in prompt.FIRST_STEPS)
"""The actions of the steps, by their names in the table of keys."""
QUESTION = "question"
ANSWERS = frozenset({"allow", "deny", "reply", "always", *(f"option-{number}" for number in range(1, 10))})
"""Actions of a question: whoever has answered one knows how to come to it."""


_TURNS = {"previous-panel": "next-panel"}
"""Action → the step that it does as well."""


def step_of(context: Context, action: str) -> str:
    """The step that is done by an action in a context; "" for none: only the missions' own keys are steps."""
    if context is Context.NEEDS and action in ANSWERS:
        return QUESTION
    step = _TURNS.get(action, action)
    return step if context is Context.MISSIONS and step in STEPS else ""


class Coaching:
    """One person's first steps.

    Attributes:
        done: The steps that were done, by the names of their actions.
    """

    def __init__(self, shell: Shell, remembered: Remembered) -> None:
        self._shell = shell
        self.done = STEPS & frozenset(remembered.get(COACHED, list[str]()))

    def did(self, context: Context, action: str) -> None:
        """The person has done something."""
        step = step_of(context, action)
        if step and step not in self.done:
            self.done |= {step}
            self._shell.remember(**{COACHED: sorted(self.done)})

    def end(self) -> None:
        """The person needs none."""
        self.done = STEPS

    def line(self, context: Context) -> str:
        """The step to be done next, where its key counts."""
        step = self.step if context is Context.MISSIONS else ""
        return step if step and self._shell.main.in_sight else ""

    @property
    def step(self) -> str:
        """The step to be done next; "" when nothing is left, or there is nothing to try it on.

        An answer is no step while nobody asks.
        """
        shell = self._shell
        if not shell.settings.coach or shell.read_only or not shell.fleet.rows:
            return ""
        return prompt.first_step(self.done, () if shell.fleet.questions else {QUESTION})
