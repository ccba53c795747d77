"""What --help prints: the list of all commands, and a command's words, options and examples; no command is loaded.

Lines are as wide as the terminal, or as COLUMNS says, up to 100 columns; 80 where nobody says.
"""

from __future__ import annotations

import os

from overmind_core.cli.command import GROUPS, summary_of

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from overmind_core.cli.command import Command, Parameter

_USUAL, _WIDEST, _NARROWEST = 80, 100, 40
"""Columns."""
_HELP_COLUMN = 28
"""Where the texts of options begin at the latest; a longer option has a line of its own."""
_INDENT = "  "
_CONTINUED = "    "

HEAD = """usage: overmind [--home DIR] [-H HIVE] COMMAND [options]

Run agents and other long-running work under supervision, and lose none of it."""

TAIL = """In CI: overmind --headless run COMMAND (see overmind --headless --help)
<id> is an id, a name, or at least 3 characters of an id.
Home: --home DIR, or $OVERMIND_HOME, or ~/.overmind
Other machines: -H NAME, -H a,b or -H all, before or after a command (see overmind hive)
Help for a command: overmind COMMAND --help; full manual: man overmind"""


def columns() -> int:
    """Return how wide help may be."""
    setting = os.environ.get("COLUMNS", "")
    if setting.isascii() and setting.isdigit() and int(setting):
        return _bounded(int(setting))
    try:
        return _bounded(os.get_terminal_size(1).columns or _USUAL)
    except OSError:
        return _USUAL


def _bounded(wide: int) -> int:
    return max(_NARROWEST, min(wide, _WIDEST))


def overview() -> str:
    """Return the text of `overmind --help`."""
    wide = columns()
    column = max(len(name) for names in GROUPS.values() for name in names) + 4
    groups = [
        "\n".join([f"{title}:", *(entry(name, summary_of(name), column, wide) for name in names)])
        for title, names in GROUPS.items()
    ]
    return "\n\n".join([_fitted(HEAD, wide), *groups, _fitted(TAIL, wide)])


def overview_of(name: str, commands: Sequence[str]) -> str:
    """Return the same for the commands that begin with one word, such as `quest`."""
    column = max(map(len, commands)) + 4
    lines = [entry(one, summary_of(one), column, columns()) for one in commands]
    return "\n".join(
        [f"usage: overmind {name} COMMAND [options]", "", *lines, "", f"See: overmind {commands[0]} --help"]
    )


def command_help(command: Command) -> str:
    """Return what a command's --help prints."""
    wide = columns()
    also = f"Also: {', '.join(f'overmind {word}' for word in command.aliases)}" if command.aliases else ""
    examples = "\n".join(["Examples:", *(_INDENT + continued(one, wide - len(_INDENT)) for one in command.examples)])
    parts = [
        "\n".join(wrap(f"usage: {usage_line(command)}", wide, "       ")),
        "\n".join(wrap(f"{command.summary[:1].upper()}{command.summary[1:]}.", wide)),
        also,
        *_sections(command, wide),
        *paragraphs(command.notes, wide),
        examples,
    ]
    return "\n\n".join(filter(None, parts))


def usage_line(command: Command) -> str:
    """Return how the command is written."""
    words = [_word(argument) for argument in command.arguments]
    return " ".join(["overmind", command.name, "[options]", *words, *filter(None, [command.rest])])


def _word(argument: Parameter) -> str:
    name = f"<{argument.settings['metavar']}>"
    shapes = {"*": f"[{name}...]", "+": f"{name}...", "?": f"[{name}]"}
    return shapes.get(str(argument.settings.get("nargs")), name)


HELP = ("-h, --help", "show this help")


def _sections(command: Command, wide: int) -> Iterator[str]:
    words = [(f"<{one.settings['metavar']}>", plain(one)) for one in command.arguments]
    for title, entries in [("Arguments", words), *option_groups(command)]:
        if entries:
            yield "\n".join([f"{title}:", *(entry(names, text, _HELP_COLUMN, wide) for names, text in entries)])


def option_groups(command: Command) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the options under their headings: names, and what they do."""
    groups: dict[str, list[tuple[str, str]]] = {"Options": []}
    for one in command.options:
        groups.setdefault(one.group or "Options", []).append((option_names(one), plain(one)))
    groups["Options"].append(HELP)
    return list(groups.items())


def option_names(one: Parameter) -> str:
    """Return `-n, --tail N`; more names for the same are in the manual."""
    names = ", ".join(one.names[:2] if one.names[0][1] != "-" else one.names[:1])
    return f"{names} {one.settings['metavar']}" if one.takes_value else names


def plain(one: Parameter) -> str:
    """Return the text of a word or option as people read it; argparse's has each percent sign twice."""
    return str(one.settings["help"]).replace("%%", "%")


def entry(names: str, text: str, column: int, wide: int) -> str:
    """Return one word or option with its text beside it, or below where it is too long for that."""
    head = f"{_INDENT}{names}"
    lines = wrap(text, wide - column)
    below = [" " * column + line for line in lines]
    if len(head) > column - 2:
        return "\n".join([head, *below])
    return "\n".join([head.ljust(column) + lines[0], *below[1:]])


def paragraphs(text: str, wide: int) -> list[str]:
    """Return the paragraphs of a text, each wrapped; an empty line parts them."""
    return ["\n".join(wrap(one, wide)) for one in text.split("\n\n") if one]


def _fitted(text: str, wide: int) -> str:
    """Return a text with its lines as they are, but those that are too wide."""
    return "\n".join("\n".join(wrap(line, wide)) for line in text.split("\n"))


def wrap(text: str, wide: int, indent: str = "") -> list[str]:
    """Return the lines of a text, none longer than `wide` unless a word is; all but the first begin with `indent`."""
    return list(_wrapped(text.split(), wide, indent))


def _wrapped(words: Iterable[str], wide: int, indent: str) -> Iterator[str]:
    line = ""
    for word in words:
        if not line:
            line = word
        elif len(line) + 1 + len(word) <= wide:
            line += f" {word}"
        else:
            yield line
            line = indent + word
    yield line


def continued(example: str, wide: int) -> str:
    """Return a command line that is no wider, continued by backslashes as a shell has it."""
    if len(example) <= wide:
        return example
    lines = list(_wrapped(_shell_words(example), wide - 2, _CONTINUED))
    return f" \\\n{_INDENT}".join(lines)


def _shell_words(line: str) -> Iterator[str]:
    """Part a command line at the blanks outside of quotes."""
    word, quote = "", ""
    for character in line:
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character == " ":
            if word:
                yield word
            word = ""
            continue
        word += character
    if word:
        yield word
