"""The file of `overmind edit`: a definition as TOML with comments, its draft in an editor, and TOML as a definition.

The keys with what each means and takes, the file that the editor is given (only its owner may read it, and it stays
when what it says could not be stored), and what is wrong with an edited text, and in which line.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
from enum import StrEnum
from typing import NamedTuple

from overmind_core.domain.text.cells import did_you_mean, display_safe
from overmind_core.errors import OvermindError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any


class Value(StrEnum):
    """The kind of a value; the words stand in the sentence about a wrong one."""

    TEXT = "a string in quotes"
    COMMAND = "a string in quotes, or a list of them"
    WHOLE = "a whole number"
    MONEY = "a number of US dollars"
    FLAG = "true or false"
    TIME = 'a number, or a string such as "90s", "5m" or "1.5h"'
    SIGNAL = "the name of a signal in quotes, or its number"
    TEXTS = "a list of strings in quotes"


class KeyRow(NamedTuple):
    """One key: its name, the comment above it, what it takes, and what stands there while it is not set."""

    name: str
    comment: str
    kind: Value
    example: str = ""


ROOT = (
    KeyRow("name", "", Value.TEXT),
    KeyRow("command", "A string is a shell command; a list is a program with its arguments, run without a shell.",
        Value.COMMAND),
    KeyRow("cwd", "Working directory.", Value.TEXT),
    KeyRow("columns", "Size of its terminal at the start.", Value.WHOLE),
    KeyRow("rows", "", Value.WHOLE),
    KeyRow("restart", "Restart it: never, on-failure or always,", Value.TEXT),
    KeyRow("max_restarts", "at most this many times (0: no limit)", Value.WHOLE),
    KeyRow("max_seconds", "within this time; a run that lasts longer is healthy,", Value.TIME),
    KeyRow("backoff", "after this pause, which doubles up to 60s.", Value.TIME),
    KeyRow("activity_timeout", "Kill it after this long without output; 0s = never.", Value.TIME),
    KeyRow("stall_waiting", "Count waiting for a person as inactivity.", Value.FLAG),
    KeyRow("timeout", "End a run after this long; 0s = never.", Value.TIME),
    KeyRow("stop_signal", "Signal that a stop sends first,", Value.SIGNAL),
    KeyRow("grace", "and the wait before SIGKILL.", Value.TIME),
    KeyRow("leave_background", "When it exits, leave its background processes running.", Value.FLAG),
    KeyRow("max_children", "Limit of live children, for it and each mission below it.", Value.WHOLE, "10"),
    KeyRow("max_depth", "Limit of generations below it.", Value.WHOLE, "3"),
    KeyRow("max_cost", "End all agents of its tree once they cost this many US dollars together; 0 = no limit.",
        Value.MONEY),
    KeyRow("max_tokens", "The same in tokens.", Value.WHOLE),
    KeyRow("notes", "Notes for each new conversation: auto, pinned or off. A plain command gets none by default.",
        Value.TEXT, '"off"'),
)  # fmt: skip
LABELS = "Labels to select it by: ps --label key=value"
ENV = "Variables set for this mission alone, beside those of the shell that started it. Secrets are shown too."
AGENT_TITLE = "The agent. A conversation continues after the restart."
AGENT = (
    KeyRow("prompt", "The prompt.", Value.TEXT),
    KeyRow("model", "Model, by its program's name for it.", Value.TEXT, '"opus"'),
    KeyRow("permission_mode", "Permission mode of its program.", Value.TEXT, '"acceptEdits"'),
    KeyRow("allowed_tools", "Tools it may use unasked, and tools it may not use.", Value.TEXTS),
    KeyRow("disallowed_tools", "", Value.TEXTS),
    KeyRow("allow", 'Rules that answer its questions, such as "Bash(git status)"; deny wins.', Value.TEXTS),
    KeyRow("deny", "", Value.TEXTS),
    KeyRow("max_turns", "Stop it after this many model turns; 0 = no limit.", Value.WHOLE),
    KeyRow("system_prompt", "Replace its program's system prompt, or append to it.", Value.TEXT, '"…"'),
    KeyRow("append_system_prompt", "", Value.TEXT, '"…"'),
    KeyRow("mcp_config", "MCP servers for it: files or JSON.", Value.TEXTS),
    KeyRow("arguments", "Words passed to its program unchanged.", Value.TEXTS),
    KeyRow("orchestrator", "Allow its overmind commands unasked.", Value.FLAG),
)
OPTIONAL = frozenset({"command", "prompt"})
"""Keys that a mission has or has not by its nature: where they mean nothing they are not even mentioned."""


_TABLES = ("labels", "env", "agent")


def definition_text(answer: Mapping[str, Any]) -> str:
    """Return what `definition` answered as a text to edit."""
    terms = answer["definition"]
    what = f"{answer['provider']} {answer['type']}" if answer["provider"] != "raw" else str(answer["type"])
    lines = [f"# Mission {answer['id']} ({answer['name']}), a {what}. An omitted line means the default.", ""]
    lines += _keys(ROOT, terms)
    lines += [f"# {LABELS}", "[labels]", *_pairs(terms["labels"]), "", f"# {ENV}", "[env]", *_pairs(terms["env"])]
    if terms["agent"] is not None:
        lines += ["", f"# {AGENT_TITLE}", "[agent]", *_keys(AGENT, terms["agent"])]
    return _visible("\n".join(lines).rstrip("\n") + "\n")


_LAST_OF_FOUR_DIGITS = 0xFFFF


def _visible(text: str) -> str:
    """The same document, with escapes for what a terminal or editor would obey: an agent may have written it."""
    if text.replace("\n", "").isprintable():
        return text
    return "".join(f"\\u{ord(character):04x}" if _is_obeyed(character) else character for character in text)


def _is_obeyed(character: str) -> bool:
    return character not in "\n\t" and ord(character) <= _LAST_OF_FOUR_DIGITS and display_safe(character) != character


def _keys(keys: Iterable[KeyRow], values: Mapping[str, Any]) -> list[str]:
    lines: list[str] = []
    for key in keys:
        if key.name not in values:  # another machine's earlier version
            continue
        value = values[key.name]
        if value is None and key.name in OPTIONAL:
            continue
        if key.comment and lines and not (key.comment[0].islower()):
            lines.append("")
        if key.comment:
            lines.append(f"# {key.comment}")
        lines.append(f"# {key.name} = {key.example}" if value is None else f"{key.name} = {_value(value)}")
    return [*lines, ""]


def _pairs(values: Mapping[str, str]) -> list[str]:
    import tomlkit  # it costs 30 ms, and only editing needs it

    return [f"{tomlkit.key(name).as_string()} = {_value(value)}" for name, value in sorted(values.items())]


def _value(value: Any) -> str:  # noqa: ANN401 - whatever TOML can hold
    import tomlkit  # it costs 30 ms, and only editing needs it

    if isinstance(value, str) and "\n" in value:
        return '"""\n' + "\n".join(map(_line, value.split("\n"))) + '"""'
    return str(tomlkit.item(value).as_string())


def _line(text: str) -> str:
    """Return a line of a text of several; its quotes stay as they are unless they could be taken for the text's end."""
    import tomlkit  # it costs 30 ms, and only editing needs it

    escaped = str(tomlkit.string(text).as_string())[1:-1]
    if '""' in text or text.endswith('"'):
        return escaped
    return re.sub(r"\\(.)", lambda at: '"' if at[1] == '"' else at[0], escaped)


def read_definition(text: str) -> dict[str, Any]:
    """Return the terms that a text says, for the request `redefine`.

    Raises:
        Mistake: with the line.
    """
    import tomlkit  # it costs 30 ms, and only editing needs it
    from tomlkit.exceptions import ParseError, TOMLKitError

    try:
        found = tomlkit.parse(text).unwrap()
    except ParseError as error:
        raise Mistake(error.line, str(error).partition(" at line ")[0]) from None
    except TOMLKitError as error:
        raise Mistake(1, str(error)) from None
    return _checked(found, text)


def _checked(found: dict[str, Any], text: str) -> dict[str, Any]:
    _check(found, ROOT, (), text, also=_TABLES)
    for table in _TABLES:
        if not isinstance(found.get(table, {}), dict):
            raise Mistake(line_of(text, (table,)), f"{table}: write a table, [{table}]")
    for table in ("labels", "env"):
        for name, value in found.get(table, {}).items():
            _check_value(KeyRow(name, "", Value.TEXT), value, (table, name), text)
    if "agent" in found:
        _check(found["agent"], AGENT, ("agent",), text)
    for name in ("name", "cwd"):
        if name not in found:
            raise Mistake(1, f"{name} is missing")
    return found


def _check(
    values: Mapping[str, Any],
    keys: Sequence[KeyRow],
    above: tuple[str, ...],
    text: str,
    *,
    also: Sequence[str] = (),
) -> None:
    known = {key.name: key for key in keys}
    for name, value in values.items():
        if name in known:
            _check_value(known[name], value, (*above, name), text)
        elif name not in also:
            hint = did_you_mean(name, [*known, *also])
            raise Mistake(line_of(text, (*above, name)), f"{'.'.join((*above, name))}: unknown key.{hint}")


def _check_value(key: KeyRow, value: object, path: tuple[str, ...], text: str) -> None:
    if not _fits(key.kind, value):
        raise Mistake(line_of(text, path), f"{'.'.join(path)}: write {key.kind.value}")


def _fits(kind: Value, value: object) -> bool:
    if isinstance(value, bool):
        return kind is Value.FLAG
    if isinstance(value, list):
        return kind in {Value.TEXTS, Value.COMMAND} and all(isinstance(one, str) for one in value)
    return any(isinstance(value, one) for one in _TYPES.get(kind, ()))


_TYPES: dict[Value, tuple[type, ...]] = {
    Value.TEXT: (str,),
    Value.COMMAND: (str,),
    Value.WHOLE: (int,),
    Value.MONEY: (int, float),
    Value.TIME: (int, float, str),
    Value.SIGNAL: (int, str),
}


MARK = "#! "
"""Begins what we write above a text that has a mistake."""
MARK_LINES = 2
"""Lines that we write there."""
_KEY_OF_CODE = {
    "name_taken": ("name",),
    "cwd_not_found": ("cwd",),
    "empty_command": ("command",),
    "not_found": ("command",),
    "provider_missing": ("agent",),
}
"""Error → the key that is wrong."""
_KEY_OF_WORDS = {
    "A name ": ("name",),
    "restart policy": ("restart",),
    "of restarts": ("restart",),
    "no restarts": ("restart",),
    "its command": ("command",),
    "the command of": ("command",),
    "its prompt": ("agent", "prompt"),
    "the prompt of": ("agent", "prompt"),
    "signal": ("stop_signal",),
    "label": ("labels",),
    "environment variable": ("env",),
    "The command": ("command",),
    "Argument": ("command",),
}
"""Words of a sentence → the key that it is about."""
_OF_THE_AGENT = frozenset({"allow", "deny", "model", "permission_mode", "max_turns", "mcp_config", "prompt",
                           "allowed_tools", "disallowed_tools", "system_prompt", "append_system_prompt"})  # fmt: skip
_RENAMED = {"size": ("columns",), "agent_arg": ("agent", "arguments")}


class Mistake(Exception):
    """The text can't be stored as it is.

    Attributes:
        line: Where, from 1; 1 when nobody knows.
        sentence: What is wrong there.
    """

    def __init__(self, line: int, sentence: str) -> None:
        super().__init__(f"line {line}: {sentence}")
        self.line = line
        self.sentence = sentence


def mistake_of(error: OvermindError, text: str) -> Mistake:
    """Return what the daemon refused as a mistake in the text."""
    said, program, commands = error.message.partition("overmind ")  # whose options stay as they are typed
    sentence = re.sub(r"--([a-z][a-z-]*)", lambda at: at[1].replace("-", "_"), said) + program + commands
    return Mistake(line_of(text, _key_of(error.code, sentence)), sentence)


def _key_of(code: str, sentence: str) -> tuple[str, ...]:
    """The key that a refusal is about; () when nobody knows."""
    known = _KEY_OF_CODE.get(code) or next((path for words, path in _KEY_OF_WORDS.items() if words in sentence), None)
    if known is not None:
        return known
    named = re.match(r"[a-z][a-z_.]*", sentence)
    return _path(named[0]) if named else ()


def _path(name: str) -> tuple[str, ...]:
    if name in _OF_THE_AGENT:
        return ("agent", name)
    return _RENAMED.get(name, tuple(name.split(".")))


def line_of(text: str, path: Sequence[str]) -> int:
    """Return the line in which a key stands, from 1; that of its table when it has none, else 1."""
    table: tuple[str, ...] = ()
    nearest = 1
    for number, line in enumerate(text.splitlines(), 1):
        header = re.match(r"\s*\[\s*([^\[\]]+?)\s*\]", line)
        if header:
            table = tuple(_bare(part) for part in header[1].split("."))
            nearest = number if list(table) == list(path[: len(table)]) else nearest
            continue
        key = re.match(r"""\s*("[^"]*"|'[^']*'|[\w.-]+)\s*=""", line)
        if key and _named(table, key[1]) == tuple(path)[: len(table) + key[1].count(".") + 1] != ():
            return number
    return nearest


def _named(table: tuple[str, ...], key: str) -> tuple[str, ...]:
    return (*table, _bare(key)) if key[0] in "\"'" else (*table, *key.split("."))


def _bare(part: str) -> str:
    return part.strip().strip("\"'")


def marked(text: str, mistake: Mistake) -> str:
    """Return the text with the mistake above it; the line is counted as the editor will."""
    message = f"Not stored: line {mistake.line + MARK_LINES}: {mistake.sentence}"
    return f"{MARK}{message}\n{MARK}Quit without saving to give up.\n{text}"


def unmarked(text: str) -> str:
    """Return the text without what we wrote above it."""
    lines = text.splitlines(keepends=True)
    while lines and lines[0].startswith(MARK.rstrip()):
        del lines[0]
    return "".join(lines)


FOLDER = "edits"
EDITORS = ("vi", "nano")
"""Where no variable names one."""


def editor_command(environ: Mapping[str, str]) -> list[str]:
    """Return the person's editor with its arguments: $VISUAL, $EDITOR, else what there is.

    Raises:
        OvermindError: `invalid`, there is none.
    """
    for name in ("VISUAL", "EDITOR"):
        try:
            words = shlex.split(environ.get(name, ""))
        except ValueError as error:
            raise OvermindError("invalid", f"${name} is not a valid command: {error}.") from None
        if words:
            return words
    found = next((path for name in EDITORS if (path := shutil.which(name, path=environ.get("PATH")))), None)
    if found is None:
        raise OvermindError("invalid", "No editor found: set EDITOR, or use --print and -.")
    return [found]


class EditorDraft:
    """A text on its way through an editor.

    Args:
        home: The folder of the home, in which the file is made.
        name: Of the mission, or what else is edited.
        suffix: Tells the editor what it is.
    """

    def __init__(self, home: str, name: str, suffix: str = ".toml") -> None:
        folder = os.path.join(home, FOLDER)
        os.makedirs(folder, mode=0o700, exist_ok=True)
        self.path = os.path.join(folder, f"{name.replace('/', '-')}-{os.urandom(4).hex()}{suffix}")

    def edited(self, text: str, command: list[str]) -> str:
        """Have the person edit the text, and return it.

        Raises:
            OvermindError: `invalid`, the editor failed, or what it wrote can't be read.
        """
        with open(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as file:
            file.write(text.encode())
        code = _run([*command, self.path])
        if code:
            raise OvermindError("invalid", f"The editor {command[0]} exited with code {code}. Nothing was changed.")
        try:
            with open(self.path, "rb") as file:
                return file.read().decode()
        except (OSError, UnicodeDecodeError) as error:
            raise OvermindError("invalid", f"{self.path}: {error}. Nothing was changed.") from None

    def drop(self) -> None:
        """Nobody needs it any more."""
        if os.path.exists(self.path):
            os.unlink(self.path)


def _run(argv: list[str]) -> int:
    """Run the editor; ctrl-c in it is for it alone."""
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        return subprocess.call(argv)
    except OSError as error:
        raise OvermindError(
            "invalid", f"The editor {argv[0]} can't be started: {error.strerror}. Set EDITOR."
        ) from None
    finally:
        signal.signal(signal.SIGINT, before)
