"""Permission rules: how an agent's questions are answered without a person, in Claude's own syntax. Pure.

`Bash`, `Bash(git status)`, `Bash(npm run:*)`, `Bash(git * main)`, `Edit(src/**)`, `Read(//abs/**)`,
`WebFetch(domain:example.com)`, `mcp__server`, `mcp__server__tool`. Deny wins. An allowing rule about a program never
allows the next program of the same line; a denying one finds its program wherever it stands.

A use of a tool that is about several files is allowed file by file, and denied for one of them.

`permits` holds what an orchestrator may do unasked: look at missions, talk to and end its own, and start agents. It
must not get by a child what it would not get itself. So it starts agents only, as plain programs do what they like
without asking anybody; and it hands on no more rules than it has, in no folder outside of its own.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple

from overmind_core.domain.agents import note_commands, word_rules
from overmind_core.domain.agents.agent import CAUTIOUS_MODES, RAW, is_own
from overmind_core.domain.agents.agent_events import Behaviour
from overmind_core.domain.agents.word_rules import Verdict
from overmind_core.domain.shell import commands
from overmind_core.domain.shell.words import BLANK, split
from overmind_core.domain.text import file_pattern
from overmind_core.domain.text.cells import did_you_mean

if TYPE_CHECKING:
    from overmind_core.domain.agents.agent import Agent


SHELL = "Bash"
EDITORS = frozenset({"Edit", "MultiEdit", "NotebookEdit", "Write"})
"""A rule about `Edit` is one about all of them."""
READERS = frozenset({"Glob", "Grep", "LS", "NotebookRead", "Read"})
"""Likewise for `Read`."""
FETCH = "WebFetch"
OTHER = "Tool"
"""A tool of another program that runs no command, changes or reads no file and fetches no page."""
DELEGATES = frozenset({"Agent", "Task"})
UNRULED = frozenset({"AskUserQuestion", "ExitPlanMode"})
"""Questions to the person: no rule answers them."""

_TOOLS = (
    SHELL, OTHER, *sorted(EDITORS | READERS | DELEGATES | UNRULED),
    "BashOutput", "KillShell", "Skill", "SlashCommand", "TodoWrite", FETCH, "WebSearch",
)  # fmt: skip
"""Tools whose names are known; there may be others, but hardly some that are called nearly the same."""

FILES = "files"
"""The field with the files of a use that is about several: each as its name, or as an object that has it and more."""
CWD = "cwd"
"""The field of a command's subject that says where it runs, where that is not the agent's folder. Absolute."""
TITLE_ONLY = "title_only"
"""Beside a command: it is what the program calls it by, which may not be all of it. No pattern allows it."""

_OF_NAMED_FILES = EDITORS | {"NotebookRead", "Read"}
"""Tools that do nothing without a file; the other readers begin at the agent's folder."""
_RULE = re.compile(r"(?P<tool>[A-Za-z_*][\w.*-]*)(?:\((?P<about>.*)\))?", re.DOTALL)
_ESCAPE = re.compile(r"\\([()*\\])")
_DOMAIN = "domain:"
_HOST = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://(?:[^/?#@\\\s]*@)?(\[[^\]\s]*\]|[^/?#:@\\\s]+)(?=[:/?#\\]|\Z)")
_TEXTS = re.compile(r"\\.|\*|[^\\*]+|\\", re.DOTALL)
_CONTROL = re.compile(r"[\0-\x20\x7f]")


class InvalidRule(ValueError):
    """A rule that can't be parsed; the text is why."""


class Rule(NamedTuple):
    """A rule, read. `about` is what stands in the parentheses, None without."""

    text: str
    tool: str
    about: str | None


class ToolUse(NamedTuple):
    """A tool about to be used: `cwd` is where the agent works, `home` the person's home folder ("" = unknown)."""

    tool: str
    subject: Mapping[str, Any]
    cwd: str
    home: str


@lru_cache(maxsize=1024)
def parse(text: str) -> Rule:
    """Read a rule.

    Raises:
        InvalidRule: It is none, or no tool takes such parentheses.
    """
    found = _RULE.fullmatch(text.strip())
    if found is None:
        raise InvalidRule(f"{text!r} is not a rule: write Tool or Tool(pattern), such as Bash(git status)")
    tool, about = found["tool"], found["about"]
    if "*" in tool.removesuffix("__*"):
        raise InvalidRule(f"{text!r}: a tool's name can't contain *; mcp__server matches all tools of a server")
    if about is not None:
        _check(text, tool, about)
    return Rule(text.strip(), tool, None if about in {"*", ":*"} and tool == SHELL else about)


def check(text: str) -> None:
    """Check a rule that a person gives.

    Raises:
        InvalidRule: It is none, or its tool is hardly one.
    """
    tool = parse(text).tool
    near = "" if tool in _TOOLS or tool.startswith("mcp__") else did_you_mean(tool, _TOOLS)
    if near:
        raise InvalidRule(f"unknown tool {tool!r}.{near}")


def decide(
    allow: Iterable[str], deny: Iterable[str], tool: str, subject: Mapping[str, Any], cwd: str, *, home: str = ""
) -> tuple[Behaviour, str] | None:
    """Decide one use of a tool by the rules: the decision and the rule that made it; None: a person is asked.

    Args:
        allow: Rules that allow.
        deny: Rules that deny; they win.
        tool: Its name.
        subject: Its input.
        cwd: Where the agent works; patterns of files begin there.
        home: The person's home folder, for patterns that begin with `~/`.

    Raises:
        InvalidRule: One of the rules is none.
    """
    use = ToolUse(tool, subject, cwd, home)
    denying = [parse(text) for text in deny]
    allowing = [parse(text) for text in allow]
    if tool in UNRULED:
        return None
    verdicts = [(_denies(rule, use), rule) for rule in denying]
    for verdict, rule in verdicts:
        if verdict is Verdict.YES:
            return Behaviour.DENY, rule.text
    if any(verdict is Verdict.PERHAPS for verdict, _ in verdicts):
        return None
    found = _allowing(allowing, use)
    return (Behaviour.ALLOW, ", ".join(dict.fromkeys(rule.text for rule in found))) if found else None


def rules_for(tool: str, subject: Mapping[str, Any]) -> tuple[str, ...]:
    """The rules that "always" stores: of this very command, file, or host; none where no rule can answer."""
    if tool in UNRULED:
        return ()
    if tool == SHELL:
        return _rules_for_command(_text(subject, "command").strip(BLANK))
    if tool in EDITORS | READERS and (paths := _paths(subject)) and all(paths):
        family = "Edit" if tool in EDITORS else "Read"
        return tuple(dict.fromkeys(f"{family}({file_pattern.exactly(path)})" for path in paths))
    if tool == FETCH:
        host = _host(subject)
        return (f"{FETCH}({_DOMAIN}{host})",) if host else ()
    if tool == OTHER or tool in _OF_NAMED_FILES:
        return ()  # the bare name would allow all that it can do
    named = _named(tool, subject)
    return (f"{tool}({named})" if named else tool,)


def _rules_for_command(command: str) -> tuple[str, ...]:
    """The command's text as it is; of one with a text in it, which won't come back, a rule for each of its parts."""
    if not command:
        return ()
    whole = (f"{SHELL}({_escaped(command)})",)
    taken = commands.parts(command)
    if taken is None or taken.writes or taken.reads or not (taken.fed or commands.has_data(command)):
        return whole
    found: list[str] = []
    for part in taken.commands:
        if part not in taken.fed and not commands.has_data(part):
            found.append(f"{SHELL}({_escaped(part)})")
        elif (begin := word_rules.beginning(split(part))) is not None:
            found.append(f"{SHELL}({_escaped(begin)}:*)")
        else:
            return whole
    return tuple(dict.fromkeys(found))


def _check(text: str, tool: str, about: str) -> None:
    if not about.strip(BLANK):
        raise InvalidRule(f"{text!r}: the parentheses are empty; write {tool} for all its uses")
    if tool not in _ABOUT:
        raise InvalidRule(f"{text!r}: a rule about {tool} takes no parentheses; write {tool} for all its uses")
    if tool == FETCH and not about.startswith(_DOMAIN):
        raise InvalidRule(f"{text!r}: write WebFetch(domain:example.com)")
    if tool == SHELL and ":*" in about.removesuffix(":*"):
        raise InvalidRule(f"{text!r}: :* is only allowed at the end")


def _denies(rule: Rule, use: ToolUse) -> Verdict:
    if use.tool != SHELL:
        if any(_about_tool(rule, one) for one in _by_file(use)):
            return Verdict.YES
        return Verdict.PERHAPS if _names(rule.tool, use.tool) and _is_unnamed(use) else Verdict.NO
    command = _text(use.subject, "command")
    if rule.tool != SHELL:
        return _denies_opened(rule, use, commands.parts(command))
    if rule.about is None:
        return Verdict.YES
    verdict, as_words = Verdict.NO, word_rules.read(_pieces(rule.about))
    for suspect in commands.suspects(command):
        found = Verdict.NO if as_words is None else word_rules.denied(as_words, suspect.words)
        if found is Verdict.YES or _command(rule.about, suspect.text):
            return Verdict.YES
        if found is Verdict.PERHAPS:
            verdict = found
    return verdict


def _allowing(rules: Sequence[Rule], use: ToolUse) -> list[Rule]:
    """The rules that together allow it; empty when they don't."""
    if use.tool != SHELL:
        return _for_each(rules, _by_file(use))
    command = _text(use.subject, "command").strip(BLANK)
    whole = _first(rules, lambda rule: rule.tool == SHELL and (rule.about is None or _exact(rule.about) == command))
    if whole or use.subject.get(TITLE_ONLY):
        return whole
    return _all_parts(rules, use, commands.parts(command))


def _all_parts(rules: Sequence[Rule], use: ToolUse, taken: commands.CommandParts | None) -> list[Rule]:
    """A rule for every simple command, and for every file that a redirection opens; else empty."""
    if taken is None or not taken.commands or _lost(taken):
        return []
    uses = [use._replace(subject={"command": part}) for part in taken.commands]
    return _for_each(rules, (*uses, *_opened(taken, use)))


def _denies_opened(rule: Rule, use: ToolUse, taken: commands.CommandParts | None) -> Verdict:
    """The verdict of a denying rule about files on a command, by the files that its redirections open."""
    if taken is None:
        left = _NO_FILE.sub(" ", _text(use.subject, "command"))
        may_open = [*(["Write"] if ">" in left else []), *(["Read"] if "<" in left else [])]
        return Verdict.PERHAPS if any(_names(rule.tool, tool) for tool in may_open) else Verdict.NO
    opened = _opened(taken, use)
    if _lost(taken):
        if (folder := _folder_of(taken)) is None:
            return Verdict.PERHAPS if any(_names(rule.tool, one.tool) for one in opened) else Verdict.NO
        opened += _opened(taken, use, folder)
    return Verdict.YES if any(_about_tool(rule, one) for one in opened) else Verdict.NO


def _folder_of(taken: commands.CommandParts) -> str | None:
    """The folder of the `cd` that a command begins with; None where only the shell knows where it goes."""
    first, rest = split(taken.commands[0]), taken._replace(commands=taken.commands[1:])
    if [word.text for word in first[:-1]] != ["cd"] or not all(word.is_known for word in first) or commands.moves(rest):
        return None
    folder = first[1].text
    return None if folder[:1] in {"", "-", "~"} else folder


_NO_FILE = re.compile(r"[0-9&]*>>?[ \t]*/dev/null(?=[\s;&|)]|\Z)|[0-9]*[<>]&[0-9-]|<<<|<<|[<>]\(")
"""Redirections that open no file of somebody's."""


def _lost(taken: commands.CommandParts) -> bool:
    """Whether a redirection opens a file of which only the shell knows where it is."""
    return commands.moves(taken) and any(not name.startswith("/") for name in (*taken.writes, *taken.reads))


def _for_each(rules: Sequence[Rule], uses: Sequence[ToolUse]) -> list[Rule]:
    """A rule for each of the uses; else empty."""
    found = [_first(rules, partial(_about_tool, use=one)) for one in uses]
    return [rule for rules in found for rule in rules] if all(found) else []


def _first(rules: Sequence[Rule], fits: Callable[[Rule], bool]) -> list[Rule]:
    return next(([rule] for rule in rules if fits(rule)), [])


def _opened(taken: commands.CommandParts, use: ToolUse, folder: str = "") -> list[ToolUse]:
    """The files that a command's redirections open, as uses of the tools that would; `folder`: to which it has gone."""
    begin = posixpath.join(_text(use.subject, CWD), folder)
    named = [("Write", name) for name in taken.writes] + [("Read", name) for name in taken.reads]
    return [use._replace(tool=tool, subject={"file_path": posixpath.join(begin, name)}) for tool, name in named]


def _by_file(use: ToolUse) -> list[ToolUse]:
    """A use for each file that it is about; as it is where it is about one, or none."""
    paths = _paths(use.subject) if use.tool in EDITORS | READERS else ()
    return [use._replace(subject={"file_path": path}) for path in paths] if len(paths) > 1 else [use]


def _is_unnamed(use: ToolUse) -> bool:
    """Return whether a use is about a file, or a host, and nobody can tell which."""
    if use.tool == FETCH:
        return not _host(use.subject)
    paths = _paths(use.subject)
    return use.tool in EDITORS | READERS and ("" in paths or (not paths and use.tool in _OF_NAMED_FILES))


def _about_tool(rule: Rule, use: ToolUse) -> bool:
    if not _names(rule.tool, use.tool):
        return False
    return rule.about is None or _ABOUT[rule.tool](rule.about, use)


def _names(ruled: str, tool: str) -> bool:
    if ruled.startswith("mcp__"):
        server = ruled.removesuffix("__*")
        return tool == ruled or (server.count("__") == 1 and tool.startswith(f"{server}__"))
    if ruled == "Edit":
        return tool in EDITORS
    if ruled == "Read":
        return tool in READERS
    return tool == ruled or {tool, ruled} == DELEGATES


def _simple(about: str, command: str) -> bool:
    """Whether one simple command is what stands in the parentheses of a rule about the shell, as text or as words."""
    if _command(about, command):
        return True
    as_words = word_rules.read(_pieces(about))
    return as_words is not None and word_rules.allowed(as_words, split(command))


def _pieces(about: str) -> tuple[str, ...]:
    return tuple(_split(f"{about[:-2]} *" if about.endswith(":*") else about))


def _command(about: str, command: str) -> bool:
    if about.endswith(":*"):
        return _wild(f"{about[:-2]} *", command)
    return _wild(about, command)


def _wild(pattern: str, command: str) -> bool:
    """`*` stands for anything; ` *` at the end also for nothing at all."""
    pieces = _split(pattern)
    if len(pieces) == 1:
        return pieces[0] == command
    if not pieces[-1] and pieces[-2].endswith(" "):
        command = command.replace("\t", " ").replace("\n", " ") + " "
    first, *middle, last = pieces
    at, end = len(first), len(command) - len(last)
    if at > end or not command.startswith(first) or not command.endswith(last):
        return False
    for piece in middle:
        found = command.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return True


def _split(pattern: str) -> list[str]:
    r"""The texts between the wildcards; `\*` is none."""
    pieces = [""]
    for piece in _TEXTS.findall(pattern):
        if piece == "*":
            pieces.append("")
        else:
            pieces[-1] += _ESCAPE.sub(r"\1", piece)
    return pieces


def _exact(about: str) -> str | None:
    """The command that a rule without a wildcard names."""
    pieces = _split(about)
    return pieces[0].strip(BLANK) if len(pieces) == 1 else None


def _file(about: str, use: ToolUse) -> bool:
    path = next(iter(_paths(use.subject)), "")
    return bool(path) and file_pattern.matches(about, path, folder=use.cwd, home=use.home)


def _domain(about: str, use: ToolUse) -> bool:
    host, domain = _host(use.subject), about.removeprefix(_DOMAIN).strip().lower()
    if domain.startswith("*."):
        return host.endswith(domain[1:]) and host != domain[1:]
    return bool(host) and host == domain


def _name(about: str, use: ToolUse) -> bool:
    return _wild(f"{about[:-2]} *" if about.endswith(":*") else about, _named(use.tool, use.subject))


_ABOUT: Mapping[str, Callable[[str, ToolUse], bool]] = {
    SHELL: lambda about, use: _simple(about, _text(use.subject, "command")),
    **dict.fromkeys([*EDITORS, *READERS], _file),
    **dict.fromkeys([*DELEGATES, "Skill"], _name),
    FETCH: _domain,
}
"""What parentheses mean, by tool."""


def _named(tool: str, subject: Mapping[str, Any]) -> str:
    """Which sub-agent, which skill."""
    return _text(subject, "subagent_type") if tool in DELEGATES else _text(subject, "skill")


def _path(subject: Mapping[str, Any]) -> str:
    return next(filter(None, (_text(subject, key) for key in ("file_path", "notebook_path", "path"))), "")


def _paths(subject: Mapping[str, Any]) -> tuple[str, ...]:
    """The files that it is about; "" for those without a name."""
    several, path = subject.get(FILES), _path(subject)
    listed = several if isinstance(several, list) else []
    named = [one if isinstance(one, str) else _path(one) if isinstance(one, dict) else "" for one in listed]
    return tuple(dict.fromkeys([*([path] if path else ()), *named]))


def _host(subject: Mapping[str, Any]) -> str:
    """Whose page it is; "" when programs could read the address in different ways."""
    url = _text(subject, "url").strip()
    found = None if _CONTROL.search(url) else _HOST.match(url)
    return found[1].lower().rstrip(".") if found else ""


def _text(subject: Mapping[str, Any], key: str) -> str:
    value = subject.get(key)
    return value if isinstance(value, str) else ""


def _escaped(text: str) -> str:
    return re.sub(r"([()*\\])", r"\\\1", text)


NAME = "orchestrator"
"""What stands in the place of a rule when it answered."""
PROGRAM = "overmind"
LOOKS = frozenset(
    [
        *("ps", "info", "logs", "wait", "result", "messages", "top", "status", "events", "subscribe", "cost", "screen"),
        *("worktrees", "changes", "ports", "board", "health", "timeline"),
    ]
)
LOOKS_OF = {
    "quest": frozenset(["list", "info", "why", "logs", "wait"]),
    "spec": frozenset(["list", "show", "check"]),
}
"""First word of a family of commands → those of it that look."""
LOOKS_ALONE = frozenset(["queue", "learn"])
"""Look when no further word follows: `queue pause` doesn't."""
ACTS = frozenset(["send", "interrupt", "stop", "kill"])
"""The daemon lets it do so to its own descendants only."""
TELLS = frozenset(["skill", "version", "help", "report"])
HELP = (("--help",), ("run", "--help"), ("claude", "run", "--help"))

FLAGS = frozenset(
    ["--wait", "--json", "--stall-waiting", "--clean-env", "--orchestrator", "--isolate", "--memory", "--no-memory"]
)
_Judge = Callable[[str, "Agent", str], bool]


def _anything(value: str, agent: Agent, cwd: str) -> bool:
    del value, agent, cwd
    return True


def _below(value: str, agent: Agent, cwd: str) -> bool:
    del agent
    there = posixpath.normpath(posixpath.join(cwd, value))
    return there == cwd or there.startswith(cwd.rstrip("/") + "/")


CAREFUL_MODES = CAUTIOUS_MODES | {"ask", "read-only"}
"""Permission modes that let no agent do more than without one: a program that does not know such a word refuses it."""


def _mode(value: str, agent: Agent, cwd: str) -> bool:
    del cwd
    return value in CAREFUL_MODES or value == agent.permission_mode


VALUES: Mapping[str, _Judge] = {
    **dict.fromkeys(
        ["--name", "--label", "--type", "--parent", "--provider", "--model", "--system-prompt",
         "--append-system-prompt", "--deny", "--disallowed-tools", "--max-turns", "--max-cost", "--max-tokens",
         "--max-children", "--max-depth", "--restart", "--max-restarts", "--max-seconds", "--backoff",
         "--activity-timeout", "--grace", "--timeout", "--base"],
        _anything,
    ),
    "--cwd": _below,
    "--permission-mode": _mode,
    "--allow": lambda value, agent, _: value in agent.allow,
    "--allowed-tools": lambda value, agent, _: value in agent.allowed_tools,
    "--mcp-config": lambda value, agent, _: value in agent.mcp_config,
}  # fmt: skip
"""Options of `run` with a value → whether it may be that one."""


def permits(command: str, agent: Agent, cwd: str, *, has_memory: bool = False) -> str | None:
    """The rule of ours by which a shell command runs unasked: each command in it is a plain one of `overmind`.

    Args:
        command: As the agent's shell would get it.
        agent: Who runs it.
        cwd: Where it works.
        has_memory: Whether it may use the notes.
    """
    plain = commands.read(command)
    if plain is None or not plain.commands or any(words[0] != PROGRAM or len(words) == 1 for words in plain.commands):
        return None
    others = plain.commands
    if has_memory:
        others = tuple(words for words in others if not note_commands.is_unasked(words[1], words[2:]))
    if not others:
        return note_commands.NAME
    return NAME if agent.orchestrator and all(_one(words, agent, cwd) for words in others) else None


def _one(words: Sequence[str], agent: Agent, cwd: str) -> bool:
    if words[1] in LOOKS | ACTS | TELLS:
        return True
    if words[1:] in HELP or _looks(words[1], words[2:]):
        return True
    if words[1:3] == ("claude", "run"):
        return _starts_agent(words[3:], agent, cwd, provider="claude")
    return words[1] == "run" and _starts_agent(words[2:], agent, cwd, provider=RAW)


def _looks(word: str, rest: Sequence[str]) -> bool:
    """Whether a command whose first word is not enough to tell does nothing but look."""
    if note_commands.looks(word, rest):
        return True
    if word in LOOKS_ALONE:
        return not rest or rest[0].startswith("-")
    return bool(rest) and rest[0] in LOOKS_OF.get(word, ())


def _starts_agent(words: Sequence[str], agent: Agent, cwd: str, *, provider: str) -> bool:
    """Whether these are options and a prompt that start an agent which can do no more than this one."""
    at = 0
    while at < len(words) and words[at].startswith("-") and words[at] not in {"-", "--"}:
        name, equals, value = words[at].partition("=")
        at += 1
        if name in FLAGS and not equals:
            provider = "claude" if name == "--orchestrator" and provider == RAW else provider
            continue
        judge = VALUES.get(name)
        if judge is None or (not equals and at == len(words)):
            return False
        if not equals:
            value = words[at]
            at += 1
        if not judge(value, agent, cwd):
            return False
        provider = value if name == "--provider" else provider
    return provider != RAW and not is_own(provider)  # nobody knows what such a program does unasked
