"""Shell completion: the script of each shell, and the names that it asks for.

Names are asked of the daemon at each press of the key, so in haste; without a daemon there is nothing to complete, and
none is started. What may stand where, in the words of each shell, `script` puts beside the parsers that the table of
commands gives.
"""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import signal

import shtab

import overmind_core
from overmind_core.cli.caller_environment import working_directory
from overmind_core.cli.command import GROUPS, HIVE_OPTION, Command, find
from overmind_core.cli.headless.commands import HEADLESS_COMMANDS
from overmind_core.cli.hives.only_here import is_only_here
from overmind_core.cli.parser import Parser, add_parameters
from overmind_core.client.stream import call_if_running
from overmind_core.domain.hives import ALL
from overmind_core.domain.missions.mission import Status
from overmind_core.domain.missions.outcome import Outcome
from overmind_core.domain.text.cells import display_safe
from overmind_core.errors import OvermindError
from overmind_core.providers.registry import names

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from overmind_core.system.paths import Home


FINAL = frozenset({"stopped", "crashed", "killed"})
QUESTIONS = "questions"
NOTES = "notes"
MOST_NOTES = 500
"""Notes that are offered: the newest."""
HIVES = "hives"
LISTED = frozenset({"plans", "quests", "rituals"})
"""Kinds that a request of the same name lists."""
TIMEOUT = 0.5
"""Seconds after which a person would think that the shell hangs."""


def candidates(home: Home, kind: str) -> list[str]:
    """Return names and ids of `live`, `finished` or `all` missions, live ones first, each once; or of another kind."""
    try:
        if kind == HIVES:
            return hive_words(home)
        if kind == QUESTIONS:
            return question_words(call_if_running(home, "inbox", {}, timeout=TIMEOUT) or [])
        if kind == NOTES:
            asked = {"cwd": working_directory(None), "limit": MOST_NOTES}
            return note_words((call_if_running(home, "notes", asked, timeout=TIMEOUT) or {"notes": []})["notes"])
        if kind in LISTED:
            return _names(call_if_running(home, kind, {}, timeout=TIMEOUT) or [])
        rows = call_if_running(home, "ps", {"all": kind != "live"}, timeout=TIMEOUT) or []
    except OvermindError:
        return []
    return mission_words(rows, kind)


def hive_words(home: Home) -> list[str]:
    """Return the names of the hives in config.toml."""
    from overmind_core.client.hives.config import hive_tables

    return [display_safe(name) for name in hive_tables(home.config)]


def question_words(questions: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the numbers of rows of `inbox --json`, then the names of what they are about, and those of gates."""
    from overmind_core.domain.engine_questions import names_of_gates

    numbers, names = ([str(row[key]) for row in questions] for key in ("question", "name"))
    return list(dict.fromkeys(map(display_safe, [*numbers, *names, *names_of_gates(questions)])))


def note_words(notes: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the keys of rows of `notes --json`, then their ids."""
    keys = [display_safe(row["key"]) for row in notes if row["key"]]
    return list(dict.fromkeys([*keys, *(row["id"] for row in notes)]))


def _names(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(display_safe(row["name"]) for row in reversed(rows)))


def mission_words(rows: Sequence[Mapping[str, Any]], kind: str) -> list[str]:
    """Return the names of rows of `ps --json`, then their ids."""
    live = [row for row in rows if row["status"] not in FINAL]
    finished = [row for row in rows if row["status"] in FINAL]
    chosen = {"live": live, "finished": finished, "all": [*live, *finished]}[kind]
    return list(dict.fromkeys(display_safe(row[key]) for key in ("name", "id") for row in chosen))


Completion = dict[str, str | dict[str, str]]

LIVE_ONLY = frozenset({"stop", "kill", "signal", "freeze", "thaw", "send", "keys", "interrupt"})
"""Commands about live missions."""
FINISHED_ONLY = frozenset({"rm"})
"""Commands about finished missions."""


def _missions(kind: str) -> Completion:
    ask = f"overmind completion --list {kind} 2>/dev/null"
    bash = f'_overmind_{kind}() {{ compgen -W "$({ask})" -- "$1"; }}'
    zsh = f'_overmind_{kind}() {{ local -a missions; missions=(${{(f)"$({ask})"}}); compadd -a missions }}'
    return {
        "bash": f"_overmind_{kind}",
        "zsh": f"_overmind_{kind}",
        "fish": f"(overmind completion --list {kind} 2>/dev/null)",
        "preamble": {"bash": bash, "zsh": zsh},
    }


def _names_or_files(kind: str) -> Completion:
    """What the daemon knows by a name, and the files that may hold it."""
    ask = f"overmind completion --list {kind} 2>/dev/null"
    both = f'{{ compgen -W "$({ask})" -- "$1"; compgen -f -- "$1"; }} | sort -u'
    zsh = f'_overmind_{kind}() {{ local -a known; known=(${{(f)"$({ask})"}}); compadd -a known; _files }}'
    return {
        "bash": f"_overmind_{kind}",
        "zsh": f"_overmind_{kind}",
        "fish": f"({ask}; __fish_complete_path)",
        "preamble": {"bash": f"_overmind_{kind}() {{ {both}; }}", "zsh": zsh},
    }


def _places() -> Completion:
    """What may stand behind -H: the hives, and the word for all of them."""
    ask = f"overmind completion --list {HIVES} 2>/dev/null"
    zsh = f'_overmind_places() {{ local -a known; known=(${{(f)"$({ask})"}} {ALL}); compadd -a known }}'
    return {
        "bash": "_overmind_places",
        "zsh": "_overmind_places",
        "fish": f"({ask}; echo {ALL})",
        "preamble": {"bash": f'_overmind_places() {{ compgen -W "$({ask}) {ALL}" -- "$1"; }}', "zsh": zsh},
    }


def _fixed(name: str, words: list[str]) -> Completion:
    text = " ".join(words)
    return {
        "bash": f"_overmind_{name}",
        "zsh": f"({text})",
        "fish": text,
        "preamble": {"bash": f'_overmind_{name}() {{ compgen -W "{text}" -- "$1"; }}'},
    }


PROGRAMS: Completion = {
    "bash": "_overmind_programs",
    "zsh": "_command_names -e",
    "fish": "(__fish_complete_command)",
    "preamble": {
        "bash": '_overmind_programs() { { compgen -c -- "$1" | grep -v "^_"; compgen -f -- "$1"; } | sort -u; }'
    },
}
STATUSES = _fixed("statuses", [status.value for status in Status])
OUTCOMES = _fixed("outcomes", [outcome.value.replace(" ", "-") for outcome in Outcome])
SIGNALS = _fixed("signals", sorted(number.name.removeprefix("SIG") for number in signal.Signals))
MISSIONS = {kind: _missions(kind) for kind in ("live", "finished", "all")}
QUESTS, RITUALS = _missions("quests"), _missions("rituals")

BY_METAVAR: dict[str, Completion] = {
    "ID": MISSIONS["all"],
    "plan": _names_or_files("plans"),
    "quest": QUESTS,
    "QUEST": QUESTS,
    "GLOB": shtab.FILE,
    "ritual": RITUALS,
    "note": _missions(NOTES),
    "NOTE": _missions(NOTES),
    "STATUS": STATUSES,
    "OUTCOME": OUTCOMES,
    "FOLDER": shtab.DIRECTORY,
    "DIR": shtab.DIRECTORY,
    "FILE": shtab.FILE,
    "file": shtab.FILE,
}
"""How the table calls a value → what it may be."""
REVIEWERS = _fixed("reviewers", ["person", *(name for name in names() if name != "raw")])
BY_NAME: dict[tuple[str, str], Completion] = {
    ("signal", "signal"): SIGNALS,
    ("answer", "question"): _missions(QUESTIONS),
    ("answer", "answer"): _fixed("answers", ["allow", "deny", "always"]),
    ("quest add", "review"): REVIEWERS,
    ("quest edit", "review"): REVIEWERS,
    **{(f"hive {verb}", "name"): _missions(HIVES) for verb in ("info", "drain", "rm")},
}
"""(Command, word or option) → what it may be."""
EVENT_TYPE = ("events", "types")
"""The same of a type of event: to load all of them takes as long as a key may take."""
BY_OPTION: dict[str, Completion] = {
    "--stop-signal": SIGNALS,
    "--signal": SIGNALS,
    "--provider": _fixed("providers", list(names())),
}


def script(shell: str) -> str:
    """Return what the shell reads to complete the whole command line."""
    return str(shtab.complete(full_parser(), shell=shell)).rstrip() + "\n"


def full_parser() -> argparse.ArgumentParser:
    """Return one parser for everything: no start of the command line builds it, completion alone does."""
    parser = Parser(prog="overmind", description="Run agents and other long-running work under supervision.")
    parser.add_argument("--version", action="store_true", help="show the version")
    home = parser.add_argument("--home", metavar="DIR", help="home")
    home.complete = shtab.DIRECTORY  # type: ignore[attr-defined] # read by shtab
    _offer_hives(parser)
    commands = parser.add_subparsers(dest="command")
    headless = commands.add_parser("--headless", help="run in the foreground until the end, for CI")
    kinds = headless.add_subparsers()
    for kind, one in HEADLESS_COMMANDS.items():
        _annotate(add_parameters(kinds.add_parser(kind, help=one.summary), one), one)
    families = {"": commands}
    for name in (name for group in GROUPS.values() for name in group):
        command = find(name)
        family, _, own = name.rpartition(" ")
        if family not in families:
            known = commands.choices.get(family)  # a command itself, such as `worktrees`
            families[family] = (known or commands.add_parser(family, help=command.summary)).add_subparsers()
        place = families[family].add_parser(own, help=command.summary, description=command.summary)
        _annotate(add_parameters(place, command), command)
        if not is_only_here(name):
            _offer_hives(place)
    return parser


def _offer_hives(parser: argparse.ArgumentParser) -> None:
    where = parser.add_argument(*HIVE_OPTION, metavar="HIVE", help="another hive, see: overmind hive list")
    where.complete = _places()  # type: ignore[attr-defined] # read by shtab


def _annotate(parser: argparse.ArgumentParser, command: Command) -> None:
    """Say of each value what it may be."""
    if command.rest is not None:
        if "CMD" in command.rest:
            parser.add_argument("program", help="program to run").complete = PROGRAMS  # type: ignore[attr-defined] # read by shtab
        rest = parser.add_argument("rest", nargs=argparse.REMAINDER, help="its arguments, or a prompt")
        rest.complete = shtab.FILE  # type: ignore[attr-defined] # read by shtab
    for action in parser._actions:  # noqa: SLF001  (argparse has no other way to list them, shtab does the same)
        words = _completion(action, command.name)
        if words is not None and action.choices is None:
            action.complete = words  # type: ignore[attr-defined] # read by shtab


def event_types() -> list[str]:
    """Return the names of all types of events, and load the types."""
    from overmind_core.domain.events import known_types

    for module in pkgutil.walk_packages(overmind_core.__path__, "overmind_core."):
        if module.name.endswith(".events"):
            importlib.import_module(module.name)
    return sorted(known_types())


def _completion(action: argparse.Action, command: str) -> Completion | None:
    if action.metavar == "id":
        return MISSIONS["live" if command in LIVE_ONLY else "finished" if command in FINISHED_ONLY else "all"]
    for name in action.option_strings:
        if name in BY_OPTION:
            return BY_OPTION[name]
    if (command, action.dest) == EVENT_TYPE:
        return _fixed("event_types", event_types())
    return BY_NAME.get((command, action.dest)) or BY_METAVAR.get(str(action.metavar))
