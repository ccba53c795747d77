"""The line of a new mission: its task is typed there, or a command; tab goes on in the form."""

from __future__ import annotations

from collections.abc import Callable

from overmind_core.view import prompt
from overmind_core.view.hints import Part
from overmind_core.view.prompt import TypingFacts
from overmind_tui.pages.compose import Purpose
from overmind_tui.pages.line import LineComposer


class TaskLine(LineComposer):
    """Takes the task of a new mission.

    Args:
        purpose: What becomes of the text.
        agent: Whose task it is; "" where no agent is installed: only commands are started then.
        folder: Where it runs, as people write it.
        form: Goes on in the form with what was typed.
    """

    def __init__(self, purpose: Purpose, agent: str, folder: str, form: Callable[[str], None]) -> None:
        super().__init__(purpose)
        self.agent = agent
        self.part = Part.NEW if agent else Part.COMMAND_ONLY
        self._folder = folder
        self._form = form
        self.handlers["start"] = self.do_send
        self.handlers["form"] = self.do_form

    def about(self) -> TypingFacts:
        """The text, and what it is for."""
        return prompt.new_mission(self.field, self.agent, self._folder, self.app.size.width)

    def lacks(self) -> str:
        """Why it can't be started: an agent may wait for its task, a command can't be empty, a task needs an agent."""
        return prompt.unfit(prompt.task(self.field.text), self.agent)

    def do_form(self) -> None:
        """Fill in all of it; what is typed meanwhile is for the form."""
        if not self.waits and self.is_current:
            self.shell.typed.hold()
            self.app.pop_screen()
            self._form(self.field.text)
