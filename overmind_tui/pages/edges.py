"""The edges of a page: its header, its line at rest and its row of hints; a click on them does what a key does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from overmind_core.view import header_line, hints, prompt
from overmind_core.view.actions import Action, Context
from overmind_core.view.cells import Cell
from overmind_core.view.header_line import HeaderFacts
from overmind_core.view.hints import Part
from overmind_core.view.prompt import RestFacts
from overmind_tui.render.layout import Panel
from overmind_tui.shell.shell import Shell
from overmind_tui.widgets.lines import Lines

if TYPE_CHECKING:
    from overmind_tui.widgets.command_bar import CommandBar


class Edged(Protocol):
    """A page as its edges see it."""

    bar: CommandBar
    line: RestingLine
    way_here: tuple[str, ...]

    @property
    def shell(self) -> Shell:
        """Who shows it."""

    @property
    def header_facts(self) -> HeaderFacts:
        """The facts of its header."""

    @property
    def context(self) -> Context:
        """Whose keys count now."""

    @property
    def hint_part(self) -> Part | Context:
        """The part whose hints are shown."""

    @property
    def is_covered(self) -> bool:
        """Whether something that stands before it has the keys."""

    @property
    def rest_facts(self) -> RestFacts:
        """What the line at rest may say now."""

    def unusable(self) -> frozenset[str]:
        """Names of actions whose keys would do nothing now."""

    def press(self, key: str, character: str | None) -> None:
        """Do what a key means."""

    def act(self, action: Action) -> None:
        """Do one action of the table."""

    def entered(self, sign: str, text: str) -> None:
        """Do what is typed behind a sign."""

    def do_back(self) -> None:
        """Close one thing."""


class HeaderRow(Lines):
    """Draws the header of a page."""

    def __init__(self, page: Edged) -> None:
        super().__init__(self.lines, id="header")
        self._page = page

    def lines(self, cells: int) -> Sequence[Sequence[Cell]]:
        """One line."""
        return [header_line.header_line(self._page.header_facts, cells)]

    def press_at(self, x: int) -> None:
        """Go back to the step of the way here that stands at a cell, or show all of what the part there counts."""
        page, shell, cells = self._page, self._page.shell, self.app.size.width
        step = header_line.step_at(self.lines(cells)[0], x)
        part = "" if page.bar.sign else header_line.part_at(page.header_facts, cells, x)
        if step == 0:
            shell.main.to_front()
            shell.main.give(Panel.TABLE)
        elif step is not None and step < len(page.way_here) - 1:
            page.do_back()
        elif part == header_line.NEEDS:
            shell.show("inbox")
        elif part in header_line.SHOWN_BY:
            page.entered(":", header_line.SHOWN_BY[part])


class RestingLine(Lines):
    """Draws the line of a page while nothing is typed into it."""

    def __init__(self, page: Edged) -> None:
        super().__init__(self.lines, id="line")
        self._page = page

    def lines(self, cells: int) -> Sequence[Sequence[Cell]]:
        """One line, or two."""
        return prompt.resting(self._page.rest_facts, cells, self._page.shell.now())

    def press_at(self, x: int, y: int) -> None:
        """Press the key that is offered at a cell."""
        page, cells = self._page, self.app.size.width
        if key := prompt.key_at(page.rest_facts, cells, page.shell.now(), x, y):
            page.press(key, key if len(key) == 1 else None)


class HintsRow(Lines):
    """Draws the hints of a page; where the page has no room for its line, they give way to what was said just now."""

    def __init__(self, page: Edged) -> None:
        super().__init__(self.lines, id="hints")
        self._page = page

    @property
    def part(self) -> Part | Context | None:
        """The part that has the keys: a line that is typed into has its own; None: what stands before the page."""
        page = self._page
        return None if page.is_covered else hints.typed_after(page.bar.sign, page.hint_part, broken=page.bar.broken)

    def lines(self, cells: int) -> Sequence[Sequence[Cell]]:
        """One line: nothing in it while the keys of the page count for nothing."""
        page, shell, part = self._page, self._page.shell, self.part
        if notice := self._notice_line(cells):
            return [notice]
        if part is None:
            return [[]]
        looks = {"read_only": shell.read_only, "ascii_only": shell.ascii_only}
        return [hints.hint_line(part, cells, unusable=page.unusable(), **looks)]

    def _notice_line(self, cells: int) -> Sequence[Cell]:
        """What was said just now, where no line is there to say it; none of it while somebody types there."""
        page = self._page
        if page.line.display or page.bar.sign:
            return []
        return prompt.instead_of_hints(page.rest_facts, cells, page.shell.now())

    def press_at(self, x: int) -> None:
        """Do what the hint at a cell says, as its key would."""
        page, shell, part, cells = self._page, self._page.shell, self.part, self.app.size.width
        if part is None or self._notice_line(cells):
            return
        hit = hints.hit_at(part, cells, x, read_only=shell.read_only, ascii_only=shell.ascii_only)
        if hit.sign:
            page.press(hit.sign, None)
        elif action := hints.actions_of(page.context).get(hit.action):
            page.act(action)
