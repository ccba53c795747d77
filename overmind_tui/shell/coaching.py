"""Coaching: what to press next, said in the bottom line until a new user has done each of three things once.

Which of them comes next follows from the keys that were pressed. It is never said where it is in the way.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.view.actions import TAKES_EVERYTHING, Context

if TYPE_CHECKING:
    from overmind_tui.shell.remembered import Remembered
    from overmind_tui.shell.shell import Shell


class Step(NamedTuple):
    """One thing to do, and the words that tell of it where it can be done, and elsewhere."""

    name: str
    context: Context | None
    """Where it can be done; None is everywhere."""
    text: str
    elsewhere: str = ""


STEPS = (
    Step("needs", None, "! lists agents that need you"),
    Step(
        "answer",
        Context.NEEDS,
        "answer with the keys below the question, enter shows all of it",
        "! opens the list, answer with the keys below each question",
    ),
    Step("look", Context.MISSIONS, "enter shows its terminal or log, esc goes back", "esc goes back to the missions"),
)


LISTS = frozenset({"inbox", "next-need"})


OPENS = frozenset({"open", "attach"})


LEAVES = frozenset({"back", "quit"})


ANSWERS = frozenset({"whole", "allow", "deny", "reply", "always", *(f"option-{number}" for number in range(1, 10))})
"""Actions, by their names in the table of keys."""


class Coach(NamedTuple):
    """Steps that were done; `opened`: something was opened and not left yet."""

    done: frozenset[str] = frozenset()
    opened: bool = False

    @classmethod
    def over(cls) -> Coach:
        """All was done."""
        return cls(frozenset(step.name for step in STEPS))

    @classmethod
    def remembered(cls, names: Iterable[str]) -> Coach:
        """What was done in an earlier life; names that mean nothing now are left out."""
        return cls(cls.over().done & frozenset(names))

    def did(self, context: Context, action: str) -> Coach:
        """After an action in a context."""
        if action in LISTS:
            return self._with("needs")
        if context is Context.NEEDS:  # whoever goes has seen it: perhaps nobody asks anything
            return self._with("needs", "answer") if action in ANSWERS | LEAVES else self
        if context is Context.MISSIONS:
            return self._replace(opened=self.opened or action in OPENS)
        return self._with("look") if self.opened and action in LEAVES | {"detach"} else self

    def line(self, context: Context) -> str:
        """What to do next, for somebody who is there; "" when nothing is left, and where its key would be text."""
        if context in TAKES_EVERYTHING:
            return ""
        for number, step in enumerate(STEPS, 1):
            if step.name not in self.done:
                here = step.context in {None, context}
                return f"{number}/{len(STEPS)} {step.text if here else step.elsewhere}"
        return ""

    def _with(self, *names: str) -> Coach:
        return self._replace(done=self.done | set(names))


COACHED = "coached"
"""Under this name it is remembered which steps were done."""


class Coaching:
    """One person's first steps."""

    def __init__(self, shell: Shell, remembered: Remembered) -> None:
        self._shell = shell
        self._coach = Coach.remembered(remembered.get(COACHED, list[str]()))

    def did(self, context: Context, action: str) -> None:
        """The person has done something."""
        before, self._coach = self._coach, self._coach.did(context, action)
        if self._coach.done != before.done:
            self._shell.remember(**{COACHED: sorted(self._coach.done)})

    def end(self) -> None:
        """The person needs none."""
        self._coach = Coach.over()

    def line(self, context: Context) -> str:
        """What to press next; "" when there is nothing to say, or nothing to try it on."""
        shell = self._shell
        wanted = shell.settings.coach and not shell.read_only and bool(shell.fleet.rows)
        return self._coach.line(context) if wanted else ""
