r"""Settings: what `[tui]` of config.toml may say, and what the command line said; everything has a default.

```toml
[tui]
theme = "dark"             # dark | light | sixteen, the terminal's own colours | any theme of Textual
symbols = "auto"           # auto | unicode | ascii
panel = "auto"             # auto | below | beside | off: where the panel of the missions stands
mouse = true
coach = true               # false: no first steps in the line
status = true              # false: don't tell the terminal what all missions do
fps = 0                    # frames a second at most; 0: 60, over ssh 15
escape_ms = 0              # how long a lone Esc waits; 0: 25, over ssh 150
confirm_kill = true        # false: ctrl-k on one mission without live children acts at once
detach_keys = ["ctrl-]"]   # leave a mission's terminal as ctrl-\ does
log_time = false           # times in the log
log_wrap = true            # false: long lines are cut
log_range = "tail"         # tail | head | 1m | 5m | 15m | 30m | 1h

[tui.hotkeys]              # key = a line after `:`
f2 = "top"
f3 = { line = "events /crashed", context = "missions" }
"ctrl-t" = { line = "top", override = true }

[tui.aliases]              # word = a line after `:`
mine = "missions label=owner=me"
```

Hotkeys are a person's own keys, each a line after `:`. A mistake is told with the line of the file where it stands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from overmind_core.domain.configuration import unknown_tables
from overmind_core.domain.text.problems import hinted
from overmind_core.domain.text.toml_lines import line_of
from overmind_core.system.small_file import read_small_file
from overmind_core.view import actions, keymap
from overmind_core.view.actions import TAKES_EVERYTHING, Context

CONTEXTS = {
    "missions": Context.MISSIONS, "logs": Context.LOG, "tables": Context.TABLE, "texts": Context.TEXT,
    "inbox": Context.NEEDS, "terminal": Context.LOOKING,
}  # fmt: skip
"""What config.toml calls a context."""
KEPT = frozenset({":", "escape", "ctrl+c", "enter", "ctrl+q", "ctrl+p"})
"""Keys that nobody can take: without them there is no way out."""
_NAMES = {shown.lower(): key for key, shown in actions.KEY_NAMES.items()} | {
    "up": "up", "down": "down", "left": "left", "right": "right", "insert": "insert", "delete": "delete",
    "backspace": "backspace", "escape": "escape", "pageup": "pageup", "pagedown": "pagedown",
    "ctrl-space": "ctrl+@", "ctrl-\\": "ctrl+backslash", "ctrl-]": "ctrl+right_square_bracket",
}  # fmt: skip
_FUNCTION = re.compile(r"f([1-9]|1[0-9]|2[0-4])")
_MODIFIED = re.compile(r"((?:(?:ctrl|alt|shift)[-+])+)(.+)")
_FIELDS = {"line", "context", "override"}


class Hotkey(NamedTuple):
    """One key: `context` None is everywhere but where keys are text."""

    key: str
    line: str
    context: Context | None = None

    def counts_in(self, context: Context) -> bool:
        """Whether it does its work there."""
        return context not in TAKES_EVERYTHING and self.context in {None, *keymap.chain(context)}


def read_hotkeys(key: str, value: object) -> Hotkey:
    """A row of `[tui.hotkeys]`.

    Raises:
        ValueError: it makes no sense, or the key is taken; with a sentence.
    """
    table = {"line": value} if isinstance(value, str) else value
    if not isinstance(table, Mapping) or not set(table) <= _FIELDS or not isinstance(table.get("line"), str):
        raise ValueError('write a command line, or { line = "top", context = "missions", override = true }')
    line = table["line"].strip().lstrip(":").strip()
    if not line:
        raise ValueError("the command line is empty")
    name, context = named(key), _context(table.get("context"))
    taken = _taken(name, context)
    if name in KEPT:
        raise ValueError(f"{key} can't be a hotkey: {taken or 'it always leaves the view'}")
    if taken and table.get("override") is not True:
        raise ValueError(f"{key} is already used: {taken}. To replace it, set override = true")
    return Hotkey(name, line, context)


def named(text: str) -> str:
    """The name of a key that somebody wrote as `ctrl-t`, `shift-n`, `f5`, `alt-x`, `u` or `PgDn`.

    Raises:
        ValueError: there is no such key.
    """
    lower = text.strip().lower()
    if lower in _NAMES:
        return _NAMES[lower]
    if len(text) == 1 and text.isprintable() and not text.isspace():
        return text
    if _FUNCTION.fullmatch(lower):
        return lower
    found = _MODIFIED.fullmatch(lower)
    if found is None:
        raise ValueError(f"{text!r} is not a key: write ctrl-t, shift-n, alt-x, f5, space or one character")
    modifiers = sorted(set(re.split("[-+]", found[1].strip("-+"))))
    if modifiers == ["shift"] and len(found[2]) == 1 and found[2].isalpha():
        return found[2].upper()
    return "+".join([*modifiers, _base(text, found[2])])


def _base(text: str, word: str) -> str:
    if _FUNCTION.fullmatch(word) or (len(word) == 1 and word.isalnum()):
        return word
    if word in _NAMES and "+" not in _NAMES[word]:
        return _NAMES[word]
    raise ValueError(f"{text!r} is not a key: unknown key name {word!r}")


def _context(word: object) -> Context | None:
    if word is None:
        return None
    if not isinstance(word, str) or word not in CONTEXTS:
        raise ValueError(f"context: write one of {', '.join(CONTEXTS)}")
    return CONTEXTS[word]


def _taken(key: str, context: Context | None) -> str:
    """What the key does already where it would count; "" for nothing."""
    contexts = [one for one in Context if one not in TAKES_EVERYTHING] if context is None else [context]
    found = next((one for one in contexts if key in keymap.keymap(one)), None)
    return "" if found is None else f"{keymap.keymap(found)[key].label} ({found.value})"


SYMBOLS = ("auto", "unicode", "ascii")
PANELS = ("auto", "below", "beside", "off")
RANGES = ("tail", "head", "1m", "5m", "15m", "30m", "1h")
MOST_FPS, MOST_ESCAPE = 250, 2000
FORMER = frozenset({"motion"})
"""Keys that earlier releases knew and that say nothing any more: a file may still have them."""


class Settings(NamedTuple):
    """How the program looks and asks; 0 is what suits the terminal."""

    theme: str = "dark"
    symbols: str = "auto"
    panel: str = "auto"
    confirm_kill: bool = True
    mouse: bool = True
    coach: bool = True
    """Whether the line tells new users what to press next."""
    status: bool = True
    """Report to the terminal outside what all missions do."""
    fps: int = 0
    """Frames a second at most."""
    escape_ms: int = 0
    detach_keys: tuple[str, ...] = ()
    log_time: bool = False
    log_wrap: bool = True
    log_range: str = "tail"
    hotkeys: tuple[Hotkey, ...] = ()
    aliases: Mapping[str, str] = {}
    """Word → line after `:`."""


class BadSettings(ValueError):
    """The configuration has a mistake: the first in a sentence that names the file's line, and where the others are.

    Attributes:
        sentences: One for each mistake.
        settings: What remains when all mistakes are left out.
    """

    def __init__(self, sentences: Sequence[str], settings: Settings) -> None:
        more = f" (and {len(sentences) - 1} more, :doctor lists all)" if len(sentences) > 1 else ""
        super().__init__(sentences[0] + more)
        self.sentences = tuple(sentences)
        self.settings = settings


class _Mistake(ValueError):
    """Something of the file that makes no sense.

    Attributes:
        path: The keys that lead there.
    """

    def __init__(self, path: tuple[str, ...], reason: str) -> None:
        super().__init__(f"{'.'.join(path)}: {reason}")
        self.path = path


def load(path: str) -> Settings:
    """The settings in the file; the defaults when there is none.

    Raises:
        BadSettings: it can't be read, or says what makes no sense.
    """
    text = _text(path)
    if text is None:
        return Settings()
    document = _document(text)
    unknown = [_Mistake((name,), sentence) for name, sentence in unknown_tables(document)]
    return read(document.get("tui", {}), text, unknown)


def _text(path: str) -> str | None:
    try:
        data = read_small_file(path)
        return None if data is None else data.decode()
    except OSError as error:
        problem = f"config.toml: {path} can't be read: {error.strerror}. Make it readable"
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        problem = f"config.toml line {line}: the file is not UTF-8: save it as UTF-8"
    raise BadSettings([problem], Settings())


def _document(text: str) -> dict[str, Any]:
    import tomllib  # noqa: PLC0415 - most homes have no configuration

    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise BadSettings([f"config.toml {explained(str(error), text)}"], Settings()) from None


def read(table: object, text: str = "", beside: Sequence[_Mistake] = ()) -> Settings:
    """The settings of the table `[tui]` of a file with this text.

    Args:
        table: What stands in it.
        text: For the lines of mistakes.
        beside: What is wrong with the file besides: `[tui]` may be there under another name.

    Raises:
        BadSettings: something makes no sense.
    """
    if not isinstance(table, Mapping):
        raise BadSettings([_located(_Mistake(("tui",), "must be a table"), text)], Settings())
    found: dict[str, Any] = {}
    mistakes = list(beside)
    for key, value in table.items():
        if key in FORMER:
            continue
        try:
            found[key] = _value(key, value, mistakes)
        except _Mistake as mistake:
            mistakes.append(mistake)
    settings = Settings(**found)
    if mistakes:
        raise BadSettings([_located(one, text) for one in mistakes], settings)
    return settings


def _value(key: str, value: object, mistakes: list[_Mistake]) -> object:
    """A value as the settings hold it; mistakes within it are added to the others."""
    path = ("tui", key)
    if key not in Settings._fields:
        raise _Mistake(path, hinted("unknown key", key, Settings._fields))
    if key in _TABLES:
        if not isinstance(value, Mapping):
            raise _Mistake(path, "write a table")
        return _TABLES[key](value, mistakes)
    if key == "detach_keys":
        return _detach_keys(path, value)
    default = Settings._field_defaults[key]
    if type(value) is not type(default):
        raise _Mistake(path, f"{value!r} is not valid: write {_KINDS[type(default)]}")
    if key in _CHOICES and value not in _CHOICES[key]:
        raise _Mistake(path, f"write one of {', '.join(_CHOICES[key])}")
    if key in _MOST and not 0 <= int(str(value)) <= _MOST[key]:
        raise _Mistake(path, f"write a number from 0 to {_MOST[key]}")
    return value


_CHOICES: Mapping[str, tuple[str, ...]] = {"symbols": SYMBOLS, "panel": PANELS, "log_range": RANGES}
_MOST = {"fps": MOST_FPS, "escape_ms": MOST_ESCAPE}
_KINDS: Mapping[type, str] = {str: "text in quotes", bool: "true or false", int: "a whole number"}
"""Type of a setting → what to write."""


def _hotkeys(table: Mapping[str, object], mistakes: list[_Mistake]) -> tuple[Hotkey, ...]:
    found = []
    for key, value in table.items():
        try:
            found.append(read_hotkeys(key, value))
        except ValueError as error:
            mistakes.append(_Mistake(("tui", "hotkeys", key), str(error)))
    return tuple(found)


def _aliases(table: Mapping[str, object], mistakes: list[_Mistake]) -> dict[str, str]:
    found = {}
    for word, line in table.items():
        if not word or any(one.isspace() for one in word) or word[0] in ":/!-":
            mistakes.append(
                _Mistake(("tui", "aliases", word), "an alias must be one word that does not begin with : / ! or -")
            )
        elif not isinstance(line, str) or not line.strip():
            mistakes.append(_Mistake(("tui", "aliases", word), 'write a command line, e.g. "missions label=mine"'))
        else:
            found[word] = line
    return found


_TABLES: Mapping[str, Callable[[Mapping[str, object], list[_Mistake]], object]] = {
    "hotkeys": _hotkeys,
    "aliases": _aliases,
}


def _detach_keys(path: tuple[str, ...], value: object) -> tuple[str, ...]:
    from overmind_core.client.detach_keys import parse_key  # noqa: PLC0415 - most homes have no configuration

    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise _Mistake(path, 'write a list of keys, e.g. ["ctrl-]"]')
    for one in value:
        try:
            parse_key(one)
        except ValueError as error:
            raise _Mistake(path, str(error)) from None
    return tuple(value)


def _located(mistake: _Mistake, text: str) -> str:
    line = line_of(text, mistake.path)
    return f"config.toml line {line}: {mistake}" if line else f"config.toml: {mistake}"


def ascii_only(symbols: str, environ: Mapping[str, str]) -> bool:
    """Whether marks are drawn with ASCII: as told, else where the terminal speaks no UTF-8."""
    if symbols != "auto":
        return symbols == "ascii"
    if environ.get("TERM") in {"linux", "dumb"}:
        return True
    locale = next((said for name in ("LC_ALL", "LC_CTYPE", "LANG") if (said := _locale(name, environ))), "")
    if not locale:  # as in a container; a terminal shows UTF-8 all the same, but for tmux and screen
        return any(environ.get(name) for name in ("TMUX", "STY"))
    return not _is_utf8(locale)


def _locale(name: str, environ: Mapping[str, str]) -> str:
    """Return a variable's locale; "" of the LC_CTYPE that Python itself sets where the locale is C (PEP 538)."""
    said, general = environ.get(name, ""), environ.get("LANG", "")
    is_own = name == "LC_CTYPE" and said == "C.UTF-8" and not _is_utf8(general)
    return "" if is_own else said


def _is_utf8(locale: str) -> bool:
    return "utf8" in locale.lower().replace("-", "")


_AT = re.compile(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", re.DOTALL)


def explained(error: str, text: str) -> str:
    """What is wrong with a text that is no TOML, where, and what to do; `error` is what Python's parser says."""
    found = _AT.fullmatch(error)
    reason = found[1] if found else error or "nested too deep"
    line = int(found[2]) if found and found[2] else max(len(text.splitlines()), 1)
    column = f", column {found[3]}" if found and found[3] else ""
    return f"line {line}{column}: {reason[:1].lower()}{reason[1:]}. Fix that line"
