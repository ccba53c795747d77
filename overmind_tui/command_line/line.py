"""The `:` line at work: it shows views, runs verbs as the command line would, completes both, keeps their history."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING

from overmind_core.view import registry, row_filter
from overmind_core.view.actions import Context
from overmind_core.view.cells import safe
from overmind_core.view.hive_keys import LOCAL
from overmind_core.view.missions import PLAN
from overmind_core.view.row_filter import BrokenFilter
from overmind_tui.command_line import parse, verbs
from overmind_tui.command_line.parse import Language, Show, ViewHistory, Vocabulary
from overmind_tui.command_line.run import CommandRun
from overmind_tui.command_line.verbs import VERBS
from overmind_tui.pages.table import TablePage
from overmind_tui.shell.remembered import LAST_VIEW

if TYPE_CHECKING:
    from overmind_tui.shell.remembered import Remembered
    from overmind_tui.shell.shell import Shell

NOT_REMEMBERED = frozenset({
    "help", "aliases", "describe", "changes", "plan", "spec", "timeline", "doctor", "web", "adopt",
})  # fmt: skip
"""Views that nobody wants to begin with."""
ROOT = "missions"


class Commands:
    """The `:` line, and the views that were opened by it.

    Args:
        shell: Where views are opened.
        runs: Runs verbs.
        leave: Leaves the program, after a question where one is due.
        remembered: Which view was open the last time.
    """

    def __init__(self, shell: Shell, runs: CommandRun, *, leave: Callable[[], None], remembered: Remembered) -> None:
        self._shell = shell
        self.runs = runs
        self._leave = leave
        self._remembered = remembered
        self.history = ViewHistory()
        self._begins_with = ""
        """What is shown first, once the missions are known."""
        self._words = registry.words()

    # words

    @property
    def language(self) -> Language:
        """Every word that means something now."""
        return Language(
            views=self._words,
            verbs=VERBS,
            leave=registry.LEAVE,
            sayings=registry.SAYINGS,
            aliases=self._shell.settings.aliases,
            colonies=registry.COLONIES,
            prose={verb.name: verb.prose for verb in VERBS.values() if verb.prose is not None},
            takes={view.name: view.fetch.ways for view in registry.VIEWS.values() if view.fetch},
            files=[verb.name for verb in VERBS.values() if verb.file],
            about=[view.name for view in registry.VIEWS.values() if view.about],
            named=[view.name for view in registry.VIEWS.values() if view.named],
            missions=self._missions(),
            of_plans=[view.name for view in registry.VIEWS.values() if view.context in {Context.PLANS, Context.PLAN}],
            plans=[row["name"] for row in self._shell.fleet.home_rows if row["type"] == PLAN],
            shell=verbs.shell_words(),
            instead=verbs.instead(),
        )

    def ghost(self, text: str) -> str:
        """What completes a text."""
        aliases = self._shell.settings.aliases
        first = [*aliases, *registry.VIEWS, *VERBS, "quit"]
        return parse.ghost(text, Vocabulary(first, self._flags, self._completed, aliases))

    def _flags(self, word: str) -> tuple[str, ...]:
        return verbs.known(word).flags

    def _completed(self, word: str) -> list[str]:
        """What may follow a word: what its view takes, the command line's own words, missions."""
        view, known = registry.find(word), verbs.known(word)
        takes = list(view.fetch.ways) if view and view.fetch else []
        inside = word in VERBS and VERBS[word].inside
        missions = self._missions() if (view and view.about) or known.missions or inside else []
        labels = sorted({f"label={key}" for row in self._shell.fleet.rows.values() for key in row.get("labels") or {}})
        named = self._named(VERBS[word]) if word in VERBS else []
        return [*takes, *known.words, *named, *missions, *(labels if view else [])]

    def _named(self, verb: verbs.Verb) -> list[str]:
        """The names of hives, and of what the swarm holds, that a verb may take."""
        swarm = self._shell.swarm
        several = swarm or self._shell.hives
        hives = [] if several is None else several.states
        if verb.of == "hives":
            return [one.name for one in hives if one.name != LOCAL]
        found = [] if swarm is None or not verb.of else list(swarm.names(verb.of))
        return [*found, *(one.in_swarm for one in hives if one.in_swarm and verb.name == "vault grant")]

    def _missions(self) -> list[str]:
        rows = self._shell.fleet.rows.values()
        return [*(row["name"] for row in rows), *(row["id"] for row in rows)]

    # what it means

    def run(self, text: str) -> None:
        """Do what the line means; an unknown one changes nothing."""
        shell = self._shell
        match parse.parsed(text, self.language):
            case Show() as found:
                if not self._is_broken(found):
                    self.go(found)
            case parse.Do(verb, words):
                self.runs.run(VERBS[verb], words)
            case parse.Leave(asks):
                self._leave() if asks else shell.app.exit()
            case parse.Say(sentence):
                shell.flash(sentence, "slow")
            case parse.Unknown(reason, hint):
                shell.flash(f"{safe(reason)} · {safe(hint)}", "bad")

    def begin(self, text: str) -> None:
        """Start with a line, or with the view of the last time; what was none is no reason to complain loudly.

        A word behind a view may be a mission or a plan: whether it is one is known once the missions are.
        """
        found = parse.parsed(text, self.language)
        names_view = text.lstrip(": ").partition(" ")[0] in self._words
        if isinstance(found, Show):
            if not self._is_broken(found):
                self.go(found)
        elif names_view and not self._shell.fleet.loaded:
            self._begins_with = text
        elif names_view and isinstance(found, parse.Unknown):
            self._shell.flash(f"{safe(found.reason)} · {safe(found.hint)}", "bad")
        else:
            self._shell.flash(f"unknown view {safe(text)!r} · ctrl-a lists all", "bad")

    def missions_came(self) -> None:
        """Open what was to be shown first, and names what has only now come; not over what was opened meanwhile."""
        text, self._begins_with = self._begins_with, ""
        if text and not self.history.lines:
            self.begin(text)

    def _is_broken(self, show: Show) -> bool:
        """Whether the filter makes no sense, which is told; nothing is opened for it."""
        read = row_filter.lines if show.view == "logs" else row_filter.parsed
        try:
            read(show.filter or "")
        except BrokenFilter as broken:
            self._shell.flash(f"/{safe(show.filter or '')} is not a valid filter: {broken} · nothing changed", "bad")
            return True
        return False

    def go(self, show: Show) -> None:
        """To a view, instead of the one that is open; the way there is remembered."""
        self.history = self.history.stepped(_line(show))
        self._open(show)

    def back(self) -> None:
        """To the view before."""
        self._follow(self.history.back())

    def forward(self) -> None:
        """To the view after."""
        self._follow(self.history.forward())

    def last(self) -> None:
        """To the view that was open before this one, there and back."""
        self._follow(self.history.last())

    def _follow(self, history: ViewHistory) -> None:
        if history is self.history:
            self._shell.flash("no other view in the history", "quiet")
            return
        self.history = history
        found = parse.parsed(history.here, self.language)
        if isinstance(found, Show):
            self._open(found)

    def _open(self, show: Show) -> None:
        shell, view = self._shell, registry.VIEWS.get(show.view)
        if view is None:  # a filter alone, of what is open
            page = shell.app.screen
            (page if isinstance(page, TablePage) else shell.main).narrow(show.filter or "")
            return
        if view.name not in {"help", "describe"}:
            shell.main.to_front(for_good=True)
        if view.name not in NOT_REMEMBERED:
            shell.remember(**{LAST_VIEW: view.name})
        opened(shell, view, show)

    # as keys do it: over what is open

    def closed(self) -> None:
        """A view was closed by a key: where that led to the missions, nobody is in that view any more."""
        at_root = len(self._shell.app.screen_stack) == 1 and self._shell.main.context is Context.MISSIONS
        if at_root and self._remembered.get(LAST_VIEW, ROOT) != ROOT:
            self._shell.remember(**{LAST_VIEW: ROOT})

    def show(self, name: str) -> None:
        """Open a view."""
        opened(self._shell, registry.VIEWS[name], Show(name))


TABLE = "overmind_tui.pages.table:open_table"
"""What opens a view that is a table."""
OPENERS: Mapping[str, str] = {
    "missions": "overmind_tui.shell.views:missions",
    "logs": "overmind_tui.shell.views:logs",
    "describe": "overmind_tui.shell.views:of_mission",
    "changes": "overmind_tui.shell.views:of_mission",
    "events": "overmind_tui.events.page:open_events",
    "inbox": "overmind_tui.shell.views:inbox",
    "plans": "overmind_tui.plans.page:open_plans",
    "plan": "overmind_tui.plans.page:open_plan",
    "quests": "overmind_tui.quests.page:open_quests",
    "board": "overmind_tui.board.page:open_board",
    "queue": "overmind_tui.queue.page:open_queue",
    "hives": "overmind_tui.hives.page:open_hives",
    "swarm": "overmind_tui.swarm.posts_page:open_posts",
    "fleets": "overmind_tui.swarm.fleets_page:open_fleets",
    "pools": "overmind_tui.swarm.pools_page:open_pools",
    "vault": "overmind_tui.swarm.vault_page:open_vault",
    "specs": "overmind_tui.specs.page:open_specs",
    "spec": "overmind_tui.specs.page:open_spec",
    "health": "overmind_tui.health.page:open_health",
    "timeline": "overmind_tui.timeline.page:open_timeline",
    "learn": "overmind_tui.learning.page:open_learn",
    "notes": "overmind_tui.notes.page:open_notes",
    "rituals": "overmind_tui.schedules.page:open_rituals",
    "worktrees": "overmind_tui.landing.page:open_worktrees",
    "adopt": "overmind_tui.conversations.page:open_conversations",
    "doctor": "overmind_tui.doctor.page:open_doctor",
    "web": "overmind_tui.web.page:open_web",
    "help": "overmind_tui.shell.views:help_here",
    "aliases": "overmind_tui.shell.views:aliases",
}
"""View → `module:function` that opens it, called with the shell, the view's row, and what was asked for."""


def opened(shell: Shell, view: registry.View, show: Show) -> None:
    """Open a view."""
    module, _, function = OPENERS.get(view.name, TABLE).partition(":")
    getattr(import_module(module), function)(shell, view, show)


def _line(show: Show) -> str:
    """A line that means the same."""
    return " ".join(filter(None, (show.view, *show.words, f"/{show.filter}" if show.filter else "")))
