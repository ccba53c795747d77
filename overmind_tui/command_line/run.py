"""Running verbs of the `:` line: which missions they mean, what is asked first, and who does them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast

from overmind_core.domain.agents.agent import RAW
from overmind_core.domain.operation import Danger
from overmind_core.errors import OvermindError
from overmind_core.providers import registry as providers
from overmind_core.view import groups, numbers
from overmind_core.view import missions as missions_rows
from overmind_core.view import quests as quests_rows
from overmind_core.view.actions import Needs
from overmind_core.view.cells import Row, safe
from overmind_core.view.form_fields import COMMAND, SHELL
from overmind_core.view.hive_keys import hive_of
from overmind_core.view.keymap import ACTIONS
from overmind_tui.command_line import parse, stakes, verbs
from overmind_tui.command_line.jobs import ERROR, PROGRAM, Jobs, Outcome, failure
from overmind_tui.command_line.verbs import Parts, Verb
from overmind_tui.inbox.messages import SESSION
from overmind_tui.missions.actions_end import ENDING
from overmind_tui.missions.actions_start import ask_to_trust
from overmind_tui.pages.dialog import Answer, Dialog
from overmind_tui.pages.page import Page, PageShell
from overmind_tui.pages.table import TablePage
from overmind_tui.pages.text import TextPage
from overmind_tui.render import texts
from overmind_tui.shell import external
from overmind_tui.shell.notices import Output

if TYPE_CHECKING:
    from overmind_tui.shell.shell import Shell

_FORCE = frozenset({"--force", "-f"})
LOST, CASCADE = "--lost", "--cascade"
KILL, SHUTDOWN, REMOVE = "kill", "shutdown", "rm"
_ALL = frozenset({"--all", "-a"})
_AGREED = frozenset({"--yes", "-y", "--json", "--output", "-o", "--format"})
"""Options of `trust` with which it still asks here."""
_HELP = frozenset({"--help", "-h"})
_AS_TEXT = frozenset({"--json", "--output", "-o", "--format"})
_KILLS = _ALL | {"--cascade", "--yes", "-y", "--json", "--output", "-o", "--format"}
"""Options with which `kill` still ends what it names; with the others it sends some signal."""
_FOR_ALL = _ALL | {LOST} | _HELP
"""With one of these the verb needs no ids."""
MOST_LINES = 12
"""Lines that say what is at stake."""
_NOT_FOUND = "not_found"
_CHANGED = re.compile(r"(?:\w+ mission )?([0-9a-f]{8})(?: .*)?")
"""A line for one mission of many, of which nobody wants to read all."""
STARTED = re.compile(r"(?:Started mission|Forked mission|Adopted conversation \S+ as mission) ([0-9a-f]{8}) \(\S+\)")


class Start(Protocol):
    """Starts something without asking anything."""

    def __call__(self, what: str, text: str, *, folder: str) -> None:
        """Start an agent's session, a shell or a command in a folder."""


class CommandRun:
    """Runs verbs of the table on the missions that they mean."""

    def __init__(self, shell: Shell, jobs: Jobs, start: Start) -> None:
        self._shell = shell
        self._jobs = jobs
        self._start = start

    def run(self, verb: Verb, words: Sequence[str]) -> None:
        """Do it, or say why not."""
        shell, parted = self._shell, verbs.parted(verb.name, words)
        if shell.read_only and (change := verb.change(words)):
            shell.flash(f"read-only: {change} is off", "slow")
        elif verb.name == "new":
            self._new(list(words))
        elif verb.name == "trust" and not parted.flags - _AGREED:
            self._trust(verb, parted.plain)
        elif verb.terminal and not _HELP & set(words):
            self._in_terminal(verb, words)
        elif verb.finds and verb.finds_with in {"", *words} and not (_HELP | _AS_TEXT) & set(words):
            module, _, function = verb.finds.partition(":")
            getattr(import_module(module), function)(shell, [word for word in words if word != verb.finds_with])
        elif verb.inside or (verb.asks and not words and not verb.of):
            self._inside(verb._replace(inside=verb.inside or verb.asks), list(words))
        elif verb.one and not _HELP & set(words):
            self._one_each(verb, words)
        elif verb.of and not (parted.plain or (_HELP | stakes.BY_FILE) & parted.flags):
            self._of_view(verb, words)
        else:
            self._together(verb, list(words))

    # missions

    def _page_of(self, verb: Verb | None) -> Page:
        """Whose missions are meant: of the page that is open, else of the missions screen."""
        pages = [page for page in self._shell.app.screen_stack if isinstance(page, Page)]
        main, top = pages[0], self._shell.app.screen
        if not isinstance(top, Page):
            return main
        return top if top.targets() or (verb is not None and verb.worktree and top.chosen()) else main

    def _meant(self, verb: Verb) -> list[Row]:
        """The marked rows, else the cursor's; none, with a flash, where there is none or it has just moved."""
        page = self._page_of(verb)
        rows = page.chosen() if verb.worktree else page.targets()
        if not rows:
            self._shell.flash(f"{verb.name}: no mission is selected", "slow")
        elif verb.danger is Danger.ENDS_WORK and page.restless:
            self._shell.flash("the row under the cursor just changed: check it, then try again", "slow")
            return []
        return rows

    def _together(self, verb: Verb, words: list[str]) -> None:
        plain, _, flags = verbs.parted(verb.name, words)
        names, calls, chosen = plain, [words], list[Row]()
        if verb.takes_missions and len(plain) <= (verb.name == "signal") and not _FOR_ALL & flags:
            rows = self._meant(verb)
            if not rows:
                return
            names, chosen = [row["name"] for row in rows], rows
            calls = [[*(row["id"] for row in of_hive), *words] for of_hive in _by_hive(rows)]
            words = calls[0]
        unknown = (
            verb.takes_missions and not verb.worktree and bool(plain) and not any(map(self._shell.fleet.named, plain))
        )
        if unknown and self._shell.fleet.loaded and verb.name != "signal" and not _HELP & set(words):
            self._refuse(verb, plain[0])
        elif _is_asked(verb, words) and not _HELP & set(words) and not unknown:
            self._ask_about(verb, names, calls, chosen)
        else:
            self._spawn(verb, calls)

    def _one_each(self, verb: Verb, words: Sequence[str]) -> None:
        """The same words to each of the marked missions, else to the cursor's, unless they name one."""
        if verb.prose is None and verbs.plain(verb.name, words):
            self._spawn(verb, [words])
            return
        named = self._addressee(words) if verb.prose is not None else None
        if named is not None:
            self._address(verb, named, words)
            return
        rows = self._meant(verb)
        if rows:
            self._spawn(verb, [[row["id"], *words] for row in rows])

    def _addressee(self, words: Sequence[str]) -> Row | None:
        """The mission whose name or id a text begins with; None where it begins with no such, or stands behind `--`.

        Only more text behind it makes it a name: `fix` alone is a text.
        """
        name, _, text = words[-1].partition(" ") if words and "--" not in words[:-1] else ("", "", "")
        row = self._shell.fleet.named(name) if text.strip() else None
        return row if row is not None and name in {row["name"], row["id"]} else None

    def _address(self, verb: Verb, row: Row, words: Sequence[str]) -> None:
        """Send what stands behind the name to the mission that a text begins with, or say why that takes nothing."""
        if row["type"] != SESSION or not missions_rows.is_live(row):
            ended = f"{safe(row['name'])} {missions_rows.ended(row)}"
            why = missions_rows.takes_no_messages(row) if row["type"] != SESSION else ended
            self._shell.flash(f"{why} · :{verb.name} -- TEXT writes to the row under the cursor", "slow")
            return
        text = words[-1].partition(" ")[2].strip()
        self._spawn(verb, [[row["id"], *words[:-1], *(["--"] if text.startswith("-") else []), text]])

    def _of_view(self, verb: Verb, words: Sequence[str]) -> None:
        """The same words to each of the marked rows, else to the cursor's, of the view whose rows are meant."""
        page = self._shell.app.screen
        rows = page.chosen_of(verb.of) if isinstance(page, Page) else []
        if not isinstance(page, Page) or not rows:
            self._shell.flash(f"{verb.name}: name one, or select it in :{verb.of}", "slow")
        elif verb.asks and not words:
            self._shell.act(verb.asks, rows)
        elif not _is_asked(verb, words):
            self._spawn(verb, [[row["id"], *words] for row in rows])
        elif page.restless:
            self._shell.flash("the row under the cursor just changed: check it, then try again", "slow")
        else:
            self._ask_about(verb, [row["name"] for row in rows], [[*(row["id"] for row in rows), *words]], rows)

    def _ask_about(self, verb: Verb, names: Sequence[str], calls: Sequence[Sequence[str]], rows: Sequence[Row]) -> None:
        """Ask, once it is known what would be lost; rows tell it, else the supervisor does."""
        shell, parts, now = self._shell, verbs.parted(verb.name, calls[0]), self._shell.now()
        if verb.name == REMOVE and not _FORCE & parts.flags and (why := self._why_kept(rows, names)):
            shell.flash(f"{verb.name}: {why}", "slow")
            return

        def known() -> list[str]:
            return self._known_at_stake(verb, names, parts, rows, now)

        asked = None if known() else stakes.asked_of(verb.name, parts, shell.world.folder)
        if asked is None:
            self._ask(verb, names, calls, known)
            return
        stake, requests = asked
        expected = shell.expect_view()

        def on_result(answers: Sequence[Any]) -> None:
            failed = next((one for one in answers if isinstance(one, OvermindError)), None)
            told: list[str] = []
            removal: dict[str, Any] | None = None
            try:
                if failed is None:
                    if stake.command == stakes.QUEST:
                        quests_rows.learn(answers, shell.fleet.rows, shell.fleet.questions)
                    told = stake.lines(answers, parts, shell.world.folder, shell.now())
                    removal = stakes.removal_of(verb.name, parts, requests, answers)
            except OvermindError as error:
                failed = error
            if failed is not None and failed.code == _NOT_FOUND:
                expected.unneeded()
                shell.flash(f"{verb.name}: {safe(failed.message)}", "bad")
            elif expected.came():  # also where nobody can tell: nothing ends without a question
                self._ask(verb, names, calls, lambda: told, removal)
            else:
                shell.flash(f"{verb.name}: not done, its question came late · type it again", "slow")

        shell.request(stake.command, requests, on_result)

    def _why_kept(self, rows: Sequence[Row], names: Sequence[str]) -> str:
        """Why none of these missions can be removed yet; "" where one can, or nobody knows."""
        fleet = self._shell.fleet
        meant = rows or [row for row in map(fleet.named, names) if row is not None]
        return groups.why_kept(meant, fleet.of) if len(meant) >= len(names) else ""

    def _known_at_stake(
        self, verb: Verb, names: Sequence[str], parts: Parts, rows: Sequence[Row], now: float
    ) -> list[str]:
        """What would be lost, as far as nobody has to be asked for it."""
        shell = self._shell
        if verb.name in stakes.SENTENCES:
            return [stakes.SENTENCES[verb.name]]
        if verb.of == "hives":
            from overmind_tui.hives.page import hive_rows  # noqa: PLC0415 - few homes have other hives

            rows = [row for row in hive_rows(shell) if row["name"] in names]
        if known := stakes.rows_at_stake(verb.name, rows, parts, now):
            return known
        return [] if verb.name in stakes.STAKES else self._missions_at_stake(verb, names, parts, now)

    def _missions_at_stake(self, verb: Verb, names: Sequence[str], parts: Parts, now: float) -> list[str]:
        """How long the missions that are meant have lasted, and what hangs on them."""
        fleet, every = self._shell.fleet, list(self._shell.fleet.rows.values())
        live = [row for row in fleet.home_rows if missions_rows.is_live(row)]
        if LOST in parts.flags:
            rows = missions_rows.lost(fleet.home_rows)
        elif verb.name == SHUTDOWN or (_ALL & parts.flags and not names):
            rows = live
        else:
            rows = [row for row in map(fleet.named, names) if row is not None] if verb.takes_missions else []
        if verb.name == REMOVE:
            return [*missions_rows.at_stake(rows, (), now), "", missions_rows.removed_with(rows)]
        return missions_rows.at_stake(rows, every, now, cascades=CASCADE in parts.flags)

    def _ask(
        self, verb: Verb, names: Sequence[str], calls: Sequence[Sequence[str]], told: Callable[[], Sequence[str]],
        removal: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        """What ends work asks first; the calls differ in the missions that they name; `told`: what would be lost.

        `removal`: the request that does it, where a command line would do more than was asked about.
        """
        parts = verbs.parted(verb.name, calls[0])

        def agreed() -> None:
            if removal is None:
                self._spawn(verb, calls)
            else:
                self._remove(verb, removal)

        def lines() -> list[str]:
            return self._lines(verb, names, parts, told())

        answers = [
            Answer(("y",), verb.name, agreed, "bad"),
            Answer(("n",), "cancel", lambda: None),
        ]
        self._shell.open(Dialog(f"{verb.name}?", lines(), answers, first=1, renewed=lines))

    def _lines(self, verb: Verb, names: Sequence[str], parts: Parts, stake: Sequence[str]) -> list[str]:
        """The command line as it is meant, with what would be lost."""
        fleet = self._shell.fleet
        live = sum(map(missions_rows.is_live, fleet.home_rows))
        line = " ".join([verb.name, *map(safe, parts.options), *map(safe, names)])
        if verb.name == SHUTDOWN:
            line = f"{line}: {numbers.counted(fleet.live, 'live mission')}"
        elif LOST in parts.flags:
            line = f"{verb.name} {numbers.counted(len(missions_rows.lost(fleet.home_rows)), 'lost mission')}?"
        elif verb.takes_missions and _ALL & parts.flags and not names:
            line = f"{line}: {numbers.counted(live, 'live mission')}"
        more = [f"… and {len(stake) - MOST_LINES} more lines"] if len(stake) > MOST_LINES else []
        return [line, *([""] if stake else []), *stake[:MOST_LINES], *more]

    # what the program does itself

    def _inside(self, verb: Verb, words: list[str]) -> None:
        """As the key of the action does, on the mission that is named or the cursor's."""
        shell = self._shell
        named = verbs.plain(verb.name, words)
        if named and not shell.main.go_to(named[0]):
            self._refuse(verb, named[0])
            return
        page = self._page_of(verb)
        do = page.verbs.get(verb.inside)
        action = next((one for one in ACTIONS if one.name == verb.inside), None)
        if do is not None:
            do()
        elif action is None:
            shell.flash(f"{verb.name}: no terminal is open", "slow")
        elif action.needs is Needs.NOTHING or self._meant(verb):
            page.act(action)

    def _refuse(self, verb: Verb, name: str) -> None:
        names = [row["name"] for row in self._shell.fleet.rows.values()]
        self._shell.flash(f"{verb.name}: {safe(parse.no_mission(name, names))} · {parse.MISSIONS}", "bad")

    def _new(self, words: list[str]) -> None:
        """An agent's interactive session, a shell, or a command; without words the form."""
        text = words[-1] if words else ""
        if not text:
            action = next(one for one in ACTIONS if one.name == "new")
            self._shell.main.act(action)
            return
        if text in _HELP:
            self._spawn(verbs.VERBS["run"], [["--help"]])
            return
        if text.startswith("-") or words[0].startswith("--"):
            self._shell.flash("new: takes no options; :run takes them, as in :run --name api make test", "slow")
            return
        what, _, rest = text.partition(" ")
        if what == RAW or not (what == SHELL or providers.is_known(what)):
            what, rest = COMMAND, text
        self._start(what, rest.strip(), folder=self._shell.world.folder)

    def _trust(self, verb: Verb, plain: Sequence[str]) -> None:
        """Ask about the file of a folder; in the terminal about one in git, which has to be fetched, or a long one."""
        in_terminal = partial(self._in_terminal, verb, ["--", *plain] if plain else [])
        if any("//" in one and "#" in one for one in plain):
            in_terminal()
        else:
            ask_to_trust(self._shell, next(iter(plain), ""), in_terminal)

    # the command line

    def _in_terminal(self, verb: Verb, words: Sequence[str]) -> None:
        """Run it where it can ask for something that nobody is to see; it waits to be read once it has ended."""
        shell = self._shell

        def ended(code: int) -> None:
            shell.flash(
                f"{verb.name}: nothing was changed" if code else f"{verb.name}: done", "slow" if code else "good"
            )
            if isinstance(page := shell.app.screen, TablePage):
                page.source.ask_again()

        argv = ["/bin/sh", "-c", external.UNTIL_READ, "sh", *_argv(verb, words)]
        environ = {**shell.world.environ, "OVERMIND_HOME": shell.home.root}
        cwd = shell.world.folder
        external.run(shell, argv, cwd=cwd if os.path.isdir(cwd) else "/", then=ended, environ=environ)

    def _spawn(self, verb: Verb, calls: Sequence[Sequence[str]]) -> None:
        """Run the command line once with each of these lists of words, one after the other."""
        ours = self._ended_by(verb, calls)
        self._shell.fleet.ends_here(ours)

        def on_result(outcome: Outcome) -> None:
            self._settle(ours, failed=bool(outcome.code or outcome.cancelled))
            self._on_result(verb, outcome)

        self._shell.flash(f"{verb.name} …", "quiet")
        self._jobs.start(verb.name, [_argv(verb, words) for words in calls], on_result)

    def _remove(self, verb: Verb, removal: Mapping[str, Any]) -> None:
        """Send the request for what was asked about, and say what came of it as of a command line."""

        def on_result(answers: Sequence[Any]) -> None:
            (answer,) = answers
            if isinstance(answer, OvermindError):
                self._on_result(verb, Outcome(answer.message, 1))
            else:
                self._on_result(verb, Outcome("\n".join(stakes.removed(answer)), 0))

        self._shell.flash(f"{verb.name} …", "quiet")
        self._shell.request(stakes.STAKES[verb.name].command, [removal], on_result)

    def _ended_by(self, verb: Verb, calls: Sequence[Sequence[str]]) -> list[str]:
        """The live missions that the person has end with this line."""
        words = [word for call in calls for word in call]
        plain, _, flags = verbs.parted(verb.name, words)
        signals = verb.name == "kill" and bool(flags - _KILLS)
        if verb.name not in ENDING or signals or _HELP & flags:
            return []
        fleet = self._shell.fleet
        named = fleet.home_rows if _ALL & flags else map(fleet.named, plain)
        return [row["id"] for row in named if row is not None and missions_rows.is_live(row)]

    def _settle(self, ours: Sequence[str], *, failed: bool) -> None:
        """What has ended is no news to other programs, either; what goes on after a failure will be."""
        fleet = self._shell.fleet
        if failed:
            fleet.ends_not([one for one in ours if (row := fleet.of(one)) is None or missions_rows.is_live(row)])
        elif ours:
            self._shell.request("seen", [{"id": one} for one in ours], lambda _answers: None)

    def _on_result(self, verb: Verb, outcome: Outcome) -> None:
        """One line is a flash; more are a text to read."""
        shell, lines = self._shell, outcome.text.strip().splitlines()
        is_seen = verb.brief and STARTED.search(outcome.text) is not None
        changed = [found[1] for line in lines if (found := _CHANGED.fullmatch(line))]
        alike, count = len(changed) == len(lines) > 1, len(set(changed))  # --lost names each before it says so
        if started := STARTED.match(lines[0] if lines else ""):
            shell.main.select_soon(started[1])
        if outcome.cancelled:
            message, tone = f"{verb.name}: cancelled", "slow"
        elif outcome.code and len(lines) != 1:
            message, tone = f"{verb.name} failed: {failure(lines, outcome.code)}", "bad"
        else:
            many = f"{verb.name}: {count} {'mission' if count == 1 else 'missions'}" if alike else f"{verb.name}: done"
            message = ERROR.sub("", lines[0]) if len(lines) == 1 else many
            tone = "bad" if outcome.code else "good"
        if (len(lines) > 1 and not is_seen and not alike) or (lines and lines[0].startswith(("{", "["))):
            self._show(Output(verb.name, texts.plain(outcome.text), safe(message), tone))
        else:
            shell.flash(safe(message), tone)

    def _show(self, output: Output) -> None:
        """Show what a command line has printed; while somebody writes or is asked anything it is kept for later."""
        shell = self._shell
        if shell.is_at_rest:
            shell.open(TextPage(output.name, "", lambda: output.lines))
            shell.flash(output.sentence, output.tone)
        else:
            cast("PageShell", shell).notice.keep(output)


def _by_hive(rows: Sequence[Row]) -> list[list[Row]]:
    """The rows of each hive: a command line names missions of one."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(hive_of(row), []).append(row)
    return list(found.values())


def _is_for_good(verb: Verb, words: Sequence[str]) -> bool:
    """Whether nothing takes it back."""
    return bool(verb.for_good) and verb.for_good in words


def _is_asked(verb: Verb, words: Sequence[str]) -> bool:
    """Whether a person is asked first."""
    return verb.danger is Danger.ENDS_WORK or _is_for_good(verb, words)


def _argv(verb: Verb, words: Sequence[str]) -> list[str]:
    agreed = (verb.agrees or _is_for_good(verb, words)) and not {"-y", "--yes", *_HELP} & set(words)
    return [*PROGRAM, *verb.name.split(), *(["-y"] if agreed else []), *words]
