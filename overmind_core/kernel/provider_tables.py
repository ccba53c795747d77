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
from overmind_core.domain.agents.terminal_words import END_LINES, NEW, SESSION, ConversationWords, OwnTerminal
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
_MOST_WORDS, _LONGEST_WORD = 16, 1000
"""Words that resume a conversation, and characters of each."""
_MOST_SOURCES, _MOST_STARS = 8, 3
"""Places where the id of a conversation is found, and the `*` in the path of one."""
_EXIT, _HOOK, _PID = "exit:", "hook:session_id", "pid:"
_SOURCES = """'exit:PATTERN' with the id as its group, "pid:PATH" or "hook:session_id\""""
_LAST = 8
"""Lines of the screen that a rule looks at which doesn't say it."""
Table = Mapping[str, FileValue]


def read_providers(spot: FileValue, providers: Collection[str]) -> dict[str, Any]:
    """Return the fields of `Settings` that the table sets; `providers`: names of those there are by themselves."""
    found: list[tuple[str, str]] = []
    own: list[OwnAgent] = []
    rules: dict[str, tuple[Rule, ...]] = {}
    interrupts: dict[str, tuple[bytes, ...]] = {}
    terminals: dict[str, OwnTerminal] = {}
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
            looks, keys, words = _terminal(table[TERMINAL], has_hooks=is_ours)
            runs = (program or "").rpartition("/")[2]
            if runs in _RUNNERS:
                mend = "write rules for the program that it runs, by its own name"
                table[TERMINAL].wrong(f"{runs} runs other programs, and they would count for all of them: {mend}")
            for called in {runs, name if protocol is None else ""} - {""}:
                rules.update({called: looks} if looks else {})
                interrupts.update({called: keys} if keys else {})
                terminals.update({called: words} if words != OwnTerminal() else {})
    on_terminal = [one for one in own if one.provider.startswith(f"{TERMINAL}:")]
    return {
        "programs": tuple(found),
        "own": tuple(one for one in own if one not in on_terminal),
        "on_terminal": tuple(on_terminal),
        "terminal_rules": MappingProxyType(rules),
        "interrupts": MappingProxyType(interrupts),
        "terminals": MappingProxyType(terminals),
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


def _terminal(spot: FileValue, *, has_hooks: bool) -> tuple[tuple[Rule, ...], tuple[bytes, ...], OwnTerminal]:
    """The rules of one program, the keys that end its turn, its empty prompt and its conversations."""
    table = spot.table('write a table with rules = [{ on = "title", any = ["^busy"], state = "working" }]')
    if table is None:
        return (), (), OwnTerminal()
    spot.report_unknown(TERMINAL_KEYS)
    if not table:
        spot.wrong_key("missing rules, interrupt, ready or resume")
    looks = tuple(_rules(table["rules"])) if "rules" in table else ()
    keys = tuple(_keys(table["interrupt"])) if "interrupt" in table else ()
    ready = _pattern(table["ready"], "^> Type your message", MOST_LINES) if "ready" in table else ""
    return looks, keys, OwnTerminal(ready, _conversation(spot, table, has_hooks=has_hooks))


def _pattern(spot: FileValue, example: str, lines: int) -> str:
    """A pattern that is looked for in so many lines within the time of a look."""
    if not isinstance(spot.value, str) or not spot.value:
        spot.wrong(f"write a pattern, such as '{example}'")
        return ""
    _bounded(spot, spot.value, lines)
    return spot.value


def _bounded(spot: FileValue, pattern: str, lines: int) -> None:
    """Report a pattern that can't be used, or that may take too long."""
    try:
        if nanoseconds_of(pattern, lines) > MOST_NANOSECONDS:
            most = MOST_NANOSECONDS // 1_000_000
            spot.wrong(f"a look at a screen could take longer than {most} ms: begin it with ^, or write one .* less")
    except Refused as refused:
        spot.wrong(str(refused))


def _conversation(spot: FileValue, table: Table, *, has_hooks: bool) -> ConversationWords:
    """The words by which the program begins, resumes and copies a conversation, and where it tells the id."""
    start, resume, fork = (
        _template(table[name], name) if name in table else () for name in ("start", "resume", "fork")
    )
    ends, records = _sources(table["session"], has_hooks=has_hooks) if "session" in table else ((), ())
    if (ends or records or fork) and not resume and not start and not has_hooks:
        spot.wrong_key('missing resume: write a list of words, such as ["--resume", "{session}"]')
    if resume and not start and not ends and not records and not has_hooks:
        spot.wrong_key("missing session: write where the id is found, or start, by which the program is given one")
    return ConversationWords(start=start, resume=resume, fork=fork, ends=ends, records=records)


def _template(spot: FileValue, name: str) -> tuple[str, ...]:
    words = [entry.value for entry in spot.entries() or ()]
    example = f'{name} = ["--{name if name != "start" else "session-id"}", "{SESSION}"]'
    if not words or len(words) > _MOST_WORDS or not all(isinstance(one, str) and "\0" not in one for one in words):
        spot.wrong(f"write a list of 1 to {_MOST_WORDS} texts, such as {example}")
        return ()
    texts = tuple(map(str, words))
    if any(len(one) > _LONGEST_WORD for one in texts):
        spot.wrong(f"write texts of at most {_LONGEST_WORD} characters")
    elif not any(SESSION in one for one in texts):
        spot.wrong(f"no place for the id of the conversation: add {SESSION}, as in {example}")
    elif name != "fork" and any(NEW in one for one in texts):
        spot.wrong(f"{NEW} is the id of a copy: write it in fork alone")
    else:
        return texts
    return ()


def _sources(spot: FileValue, *, has_hooks: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The patterns of last lines, and the paths of files, that tell the id."""
    ends: list[str] = []
    records: list[str] = []
    entries = spot.entries()
    if not entries or len(entries) > _MOST_SOURCES:
        spot.wrong(f"write a list of 1 to {_MOST_SOURCES} texts: {_SOURCES}")
    for one in (entries or ())[:_MOST_SOURCES]:
        value = one.value if isinstance(one.value, str) else ""
        if value.startswith(_EXIT):
            ends += _end_pattern(one, value.removeprefix(_EXIT))
        elif value.startswith(_PID):
            records += _record_path(one, value.removeprefix(_PID))
        elif value != _HOOK:
            one.wrong(f"write {_SOURCES}")
        elif not has_hooks:
            one.wrong(f"hooks of this program are not known: write {_SOURCES.rpartition(' or ')[0]}")
    return tuple(ends), tuple(records)


def _end_pattern(spot: FileValue, pattern: str) -> Iterator[str]:
    try:
        has_group = re.compile(pattern).groups > 0
    except (re.error, RecursionError, OverflowError):
        has_group = True  # that it is no pattern is said below
    if not has_group:
        spot.wrong("write the id as a group, as in 'exit:mine --resume ([0-9a-f-]+)'")
        return
    _bounded(spot, pattern, END_LINES)
    yield pattern


def _record_path(spot: FileValue, path: str) -> Iterator[str]:
    is_whole = path.startswith(("/", "~/")) and "\0" not in path and len(path) <= _LONGEST_WORD
    if is_whole and "**" not in path and path.count("*") <= _MOST_STARS and not set("?[") & set(path):
        yield path
        return
    spot.wrong(f"write a path that begins with / or ~/, with at most {_MOST_STARS} times *")


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
