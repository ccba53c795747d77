"""`[providers.NAME]` of config.toml: programs of known agents, agents of a person's own, and rules for terminals."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from overmind_core.documents.reading import FileValue, choice, is_number, text
from overmind_core.domain.agents import argument_places
from overmind_core.domain.agents.agent import LONGEST_OWN_NAME, ONCE, ActivityKind, is_own_name, own_provider
from overmind_core.domain.agents.terminal_rules import (
    MOST_LINES,
    MOST_NANOSECONDS,
    STATES,
    Refused,
    Rule,
    nanoseconds_of,
)
from overmind_core.domain.configuration import OWN_AGENT_KEYS, PROVIDER_KEYS, TERMINAL_KEYS, TERMINAL_RULE_KEYS
from overmind_core.domain.settings import OwnAgent
from overmind_core.domain.text.cells import did_you_mean

TERMINAL = "terminal"
"""The protocol of a program of which nothing is known but its rules."""
TEXT, STDIN = "text", "stdin"
_TITLE, _SCREEN = "title", "screen"
_MOST_KEYS, _CONTROL = 4, 0x1F
"""Keys that end a turn; the bits of a letter that are left of it behind ctrl."""
_RUNNERS = frozenset({"bunx", "env", "npx", "pnpx", "uvx"})
"""Programs that are never on a terminal by themselves."""
_LAST = 8
"""Lines of the screen that a rule looks at which doesn't say it."""
Table = Mapping[str, FileValue]


def read_providers(spot: FileValue, providers: Collection[str]) -> dict[str, Any]:
    """Return the fields of `Settings` that the table sets; `providers`: names of those there are by themselves."""
    found: list[tuple[str, str]] = []
    own: list[OwnAgent] = []
    rules: dict[str, tuple[Rule, ...]] = {}
    interrupts: dict[str, tuple[bytes, ...]] = {}
    for name, entry in (spot.table("write tables, such as [providers.claude]") or {}).items():
        table = entry.table(f"write a table: [providers.{name}]")
        is_ours = name in providers
        protocol = None if is_ours else _protocol(entry, name, table or {}, providers)
        if table is None or (not is_ours and protocol is None):
            continue
        entry.report_unknown(PROVIDER_KEYS if protocol is None else OWN_AGENT_KEYS[protocol])
        program = _program(table["program"]) if "program" in table else ""
        if program and is_ours:
            found.append((name, program))
        elif protocol is not None:
            own += _own_agent(entry, name, table, protocol, program)
        if TERMINAL in table:
            looks, keys = _terminal(table[TERMINAL])
            runs = (program or "").rpartition("/")[2]
            if runs in _RUNNERS:
                mend = "write rules for the program that it runs, by its own name"
                table[TERMINAL].wrong(f"{runs} runs other programs, and they would count for all of them: {mend}")
            for called in {runs, name if protocol is None else ""} - {""}:
                rules.update({called: looks} if looks else {})
                interrupts.update({called: keys} if keys else {})
    on_terminal = [one for one in own if one.provider.startswith(f"{TERMINAL}:")]
    return {
        "programs": tuple(found),
        "own": tuple(one for one in own if one not in on_terminal),
        "on_terminal": tuple(on_terminal),
        "terminal_rules": MappingProxyType(rules),
        "interrupts": MappingProxyType(interrupts),
    }


def _protocol(spot: FileValue, name: str, table: Table, known: Collection[str]) -> str | None:
    """The protocol of an agent of the person's own; None: it is none, or it is wrong."""
    if "protocol" in table:
        protocol: str | None = choice(tuple(OWN_AGENT_KEYS), "protocol")(table["protocol"])
        return protocol
    hint = did_you_mean(name, known) or ' An agent of your own has protocol = "acp", "once" or "terminal"'
    spot.notes.at_key(spot.path, f"providers: unknown provider {name!r}.{hint}")
    return None


def _program(spot: FileValue) -> str | None:
    if isinstance(spot.value, str) and spot.value and "\0" not in spot.value:
        return spot.value
    spot.wrong("write a path or a name")
    return None


def _own_agent(spot: FileValue, name: str, table: Table, protocol: str, program: str | None) -> list[OwnAgent]:
    """The agent that such a table describes; none where it is wrong."""
    if not is_own_name(name):
        letters = f"up to {LONGEST_OWN_NAME} small letters and digits, - and _ behind the first"
        spot.notes.at_key(spot.path, f"providers: {name!r} can't be the name of an agent: write {letters}")
        return []
    if program == "":
        spot.wrong_key("missing program: write a path or a name")
    if protocol == TERMINAL and TERMINAL not in table:
        spot.wrong_key(f"missing rules: write [providers.{name}.terminal]")
    arguments = _words(table["args"]) if "args" in table else ()
    install = text(table["install"]) if "install" in table else ""
    answer = _answer(table["answer"]) if "answer" in table else ""
    if protocol == ONCE and arguments is not None:
        on_stdin = "prompt" in table and choice((STDIN,), "place")(table["prompt"]) == STDIN
        for problem in argument_places.problems(program or "", arguments, on_stdin=on_stdin):
            (table["args"].wrong if "args" in table else spot.wrong_key)(problem)
    if not program or arguments is None or answer is None or install is None:
        return []
    return [OwnAgent(own_provider(protocol, name), program, arguments, answer, install)]


def _words(spot: FileValue) -> tuple[str, ...] | None:
    words = [entry.value for entry in spot.entries() or ()]
    if isinstance(spot.value, list) and all(isinstance(word, str) and "\0" not in word for word in words):
        return tuple(map(str, words))
    spot.wrong('write a list of texts, such as ["--acp"]')
    return None


def _answer(spot: FileValue) -> str | None:
    """The dotted key; "" for the whole text."""
    if isinstance(spot.value, str) and all(spot.value.split(".")):
        return "" if spot.value == TEXT else spot.value
    spot.wrong('write "text", or a dotted key of its lines of JSON, such as "result.text"')
    return None


def _terminal(spot: FileValue) -> tuple[tuple[Rule, ...], tuple[bytes, ...]]:
    """The rules of one program, and the keys that end its turn."""
    table = spot.table('write a table with rules = [{ on = "title", any = ["^busy"], state = "working" }]')
    if table is None:
        return (), ()
    spot.report_unknown(TERMINAL_KEYS)
    if not table:
        spot.wrong_key("missing rules, or interrupt")
    looks = tuple(_rules(table["rules"])) if "rules" in table else ()
    return looks, tuple(_keys(table["interrupt"])) if "interrupt" in table else ()


def _keys(spot: FileValue) -> Iterator[bytes]:
    """The bytes of each key."""
    names = spot.entries()
    if not names or len(names) > _MOST_KEYS or not all(_is_key(one.value) for one in names):
        spot.wrong(f'write a list of up to {_MOST_KEYS} keys, such as ["esc"] or ["ctrl-c"]')
        return
    for one in names:
        name = str(one.value)
        yield b"\x1b" if name == "esc" else bytes([ord(name[-1]) & _CONTROL])


def _is_key(name: object) -> bool:
    return isinstance(name, str) and (name == "esc" or re.fullmatch("ctrl-[a-z]", name) is not None)


def _rules(spot: FileValue) -> Iterator[Rule]:
    """The rules of one program, in order; what they cost together is bounded."""
    entries = spot.entries()
    if not entries:
        spot.wrong('write a list of rules, such as [{ on = "title", any = ["^busy"], state = "working" }]')
        return
    spent = 0
    for entry in entries:
        for rule, pattern in _rule(entry):
            cost = _cost(pattern, rule)
            spent += cost
            if cost and spent > MOST_NANOSECONDS:
                most = MOST_NANOSECONDS // 1_000_000
                mend = "begin it with ^, look at fewer lines, or write one .* less"
                pattern.wrong(f"a look at a screen could take longer than {most} ms with it: {mend}")
                return
            yield rule


def _cost(spot: FileValue, rule: Rule) -> int:
    try:
        return nanoseconds_of(rule.pattern, rule.last or 1)
    except Refused as refused:
        spot.wrong(str(refused))
        return 0


def _rule(spot: FileValue) -> Iterator[tuple[Rule, FileValue]]:
    """A rule for each of the patterns of a table, with the place of that."""
    table = spot.table('write a table: { on = "title", any = ["^busy"], state = "working" }')
    if table is None:
        return
    spot.report_unknown(TERMINAL_RULE_KEYS)
    for name in ("on", "any", "state"):
        if name not in table:
            spot.wrong(f"missing {name}")
            return
    on = choice((_TITLE, _SCREEN))(table["on"])
    state = choice(tuple(one.value for one in STATES), "state")(table["state"])
    last = _LAST if on == _SCREEN else 0
    if "last" in table:
        last = _last(table["last"], on)
    patterns = table["any"].entries()
    if not patterns or not all(isinstance(one.value, str) and one.value for one in patterns):
        table["any"].wrong("write a list of patterns, such as ['^busy']")
        return
    if on is None or state is None:
        return
    for one in patterns:
        yield Rule(ActivityKind(state), str(one.value), last), one


def _last(spot: FileValue, on: str | None) -> int:
    if on == _TITLE:
        spot.wrong('a title has no lines: leave last out, or write on = "screen"')
    elif is_number(spot.value, int) and 1 <= spot.value <= MOST_LINES:
        return spot.value
    else:
        spot.wrong(f"write a number of lines, 1 to {MOST_LINES}")
    return 1
