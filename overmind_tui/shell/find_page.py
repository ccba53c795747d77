"""Finding by letters: all that can be done here, missions, views and commands, the best first; enter does the row.

It looks like the help, and its rows do what keys do: what asks before it is done asks here, too. A command is typed
into the line of the view below, where it is read before it runs. And what was said last, whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, cast

from overmind_core.domain.operation import Danger
from overmind_core.view import actions, finding, keymap, registry
from overmind_core.view import missions as missions_rows
from overmind_core.view.actions import MOVES, Context, Needs
from overmind_core.view.cells import Row, safe
from overmind_core.view.finding import Findable, Kind
from overmind_core.view.hints import Part
from overmind_core.view.prompt import Filtered, said_line
from overmind_tui.command_line.verbs import VERBS
from overmind_tui.pages.page import Handler, Page, PageShell
from overmind_tui.pages.text import TextPage
from overmind_tui.render.help import Entry, Section
from overmind_tui.shell.help_page import HelpPage

if TYPE_CHECKING:
    from overmind_tui.shell.shell import Shell

MOST = 300
"""Rows that are drawn at most."""
OF_TIME = 7
"""Cells of the time before what was said."""
NOTHING_SAID = "nothing was said yet"
HERE = frozenset({"find", "back", "quit", "leave"})
"""Actions that are done by leaving what was found."""


class Target(NamedTuple):
    """Something that can be found: how it is looked for, how it is drawn, and what enter does."""

    findable: Findable
    entry: Entry
    do: Callable[[], object]


class FindPage(HelpPage):
    """All that can be done and gone to from the page below.

    Args:
        page: That page.
    """

    nothing = " nothing matches: backspace takes letters away"

    def __init__(self, page: Page) -> None:
        super().__init__(page.context)
        self.view = "find"
        self.way_here = ("missions", "find")
        self._page_below = page
        self._letters = ""
        self._all: Sequence[Target] = ()
        self._targets: Sequence[Target] = ()
        """Those that are shown, in their order."""

    def begin(self) -> None:
        """Letters find at once."""
        self._all = targets(self.shell, self._page_below)
        super().begin()
        self.open_bar("/")

    @property
    def context(self) -> Context:
        """Its own keys; all others are letters."""
        return Context.FINDING

    def handlers(self, context: Context) -> dict[str, Handler]:
        """Also the rows above and below, while letters are typed."""
        more = {"row-below": partial(self.step, 1), "row-above": partial(self.step, -1)}
        return super().handlers(context) | more

    @property
    def _shows_all(self) -> bool:
        return True

    @property
    def hint_part(self) -> Part:
        """Its hints."""
        return Part.FINDING

    @property
    def filtered(self) -> Filtered | None:
        """The letters, and how many rows have them."""
        return Filtered(self._letters, len(self._targets), len(self._all)) if self._letters else None

    def kept(self) -> list[Section]:
        """What fits, the best first."""
        groups = finding.ranked([one.findable for one in self._all], self._letters, MOST)
        found = [[self._all[place] for place in group] for group in groups]
        self._targets = [one for group in found for one in group]
        return [Section(group[0].findable.kind.value, [one.entry for one in group]) for group in found]

    def press(self, key: str, character: str | None) -> None:
        """Keys that choose, do and leave; all others are letters, or edit them."""
        action = None if character is not None else keymap.keymap(self.context).get(key)
        do = None if action is None else self._handlers[self.context].get(action.name)
        if do is not None:
            do()
        elif key != "backspace" or self.bar.field.text:
            super().press(key, character)

    def typing(self, sign: str, text: str) -> None:
        """Other letters, other rows; the best is chosen."""
        if sign == "/":
            self._letters, self._at = text, 0
            self.update()
        else:
            super().typing(sign, text)

    def close_one(self) -> bool:
        """There is nothing to close but the view."""
        self.close()
        return True

    def shown_text(self) -> str:
        """What is drawn."""
        return self.text.shown_text()

    def do_run_row(self) -> None:
        """Close it, and do what the chosen row says."""
        if self._targets:
            target = self._targets[self._at]
            self.close()
            target.do()


def targets(shell: PageShell, page: Page) -> list[Target]:
    """All that can be found on a page: what its keys do to a row, and else; views, missions, commands; moves last."""
    done = _actions(shell, page)
    acts = [one for one in done if one.findable.kind is Kind.ACTION]
    moves = [one for one in done if one.findable.kind is Kind.MOVE]
    return [*acts, *_views(shell), *_missions(shell), *_commands(shell, page), *moves]


def _actions(shell: PageShell, page: Page) -> list[Target]:
    """What the keys do; first what is done to a row, then what else the page alone can do."""
    keys, own = keymap.keymap(page.context), keymap.chain(page.context)[-1]
    found = []
    for action in sorted(
        dict.fromkeys(keys.values()), key=lambda one: (one.context is not own, one.needs is Needs.NOTHING, not one.verb)
    ):
        if action.name in HERE or not actions.allowed(action, read_only=shell.read_only):
            continue
        shown = [
            actions.shown_key(key, ascii_only=shell.ascii_only) for key in action.keys if keys.get(key) is action
        ]  # fmt: skip
        note = "" if action.danger is Danger.NONE else action.danger.value
        entry = Entry(" ".join(dict.fromkeys(shown)), safe(action.summary), note, action)
        findable = Findable(
            Kind.MOVE if action.alone == MOVES else Kind.ACTION, action.label, action.name, action.summary
        )
        found.append(Target(findable, entry, partial(page.act, action)))
    return found


def _missions(shell: PageShell) -> list[Target]:
    return [_mission(shell, row) for row in shell.fleet.rows.values()]


def _mission(shell: PageShell, row: Row) -> Target:
    mark, name = missions_rows.mark(row), safe(row["name"])
    sign = mark.ascii if shell.ascii_only else mark.mark

    def go() -> None:
        if not shell.main.go_to(row["id"]):
            shell.flash(f"{name} has been removed", "slow")

    said = f"{name} · {missions_rows.word(mark)}"
    return Target(Findable(Kind.MISSION, name), Entry(sign, said, tone=missions_rows.tone(row)), go)


def _views(shell: PageShell) -> list[Target]:
    return [
        Target(
            Findable(Kind.VIEW, view.name, " ".join(view.aliases), view.summary),
            Entry(f":{view.name}", view.summary),
            partial(shell.commands.run, view.name),
        )
        for view in registry.VIEWS.values()
    ]


def _commands(shell: PageShell, page: Page) -> list[Target]:
    """Verbs, and the person's own words: each is typed behind the colon of the page, and runs when it is entered."""
    found = []
    for word, line in shell.settings.aliases.items():
        findable, entry = Findable(Kind.COMMAND, safe(word), "", safe(line)), Entry(f":{safe(word)}", safe(f":{line}"))
        found.append(Target(findable, entry, partial(page.open_bar, ":", word)))
    for verb in VERBS.values():
        if verb.name in registry.VIEWS or (shell.read_only and verb.danger is not Danger.NONE):
            continue
        note = "" if verb.danger is Danger.NONE else verb.danger.value
        entry = Entry(f":{verb.name}", verb.summary, note)
        findable = Findable(Kind.COMMAND, verb.name, "", verb.summary)
        found.append(Target(findable, entry, partial(page.open_bar, ":", f"{verb.name} ")))
    return found


class FindActions:
    """Opens what finds, and what was said."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self.handlers: dict[str, Callable[[list[Row]], object]] = {"find": self.find, "said": self.said}

    def find(self, _rows: list[Row]) -> None:
        """Find by letters, from the page that is open."""
        page = self._shell.app.screen
        if isinstance(page, Page):
            self._shell.open(FindPage(page))

    def said(self, _rows: list[Row]) -> None:
        """Show what was said last, whole: where that is about the output of a command line, the output."""
        notice = cast("PageShell", self._shell).notice
        if (output := notice.taken()) is not None:
            lines = output.lines
            self._shell.open(TextPage(output.name, "", lambda: lines))
            return
        said = notice.said
        if said is None:
            self._shell.flash(NOTHING_SAID, "quiet")
            return
        line = said_line(said, self._shell.zone)
        self._shell.open(TextPage("said", "", lambda: [line], hang=OF_TIME))
