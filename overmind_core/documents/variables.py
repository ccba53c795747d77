"""A text of variables, `KEY=VALUE` lines as shells and docker write them.

Comments begin with # (also after a blank behind an unquoted value), `export ` may stand before a name. A value in
quotes may have several lines. In single quotes everything is literal; in double quotes a backslash before n, ", $, `
and itself is an escape. Quoted parts beside each other are one value, as in a shell: 'it''s' is its. Nothing is
expanded.
"""

from __future__ import annotations

import re

from overmind_core.errors import OvermindError

_NAME = r"[A-Za-z_][A-Za-z0-9_.-]*"
_REST = re.compile(r"[^\S\n]*(?:#[^\n]*)?(?:\n|\Z)")
"""An empty line, or what may stand behind a quoted value."""
_HEAD = re.compile(rf"[^\S\n]*(?:export[^\S\n]+)?({_NAME})[^\S\n]*=[^\S\n]*")
_PLAIN = re.compile(r"([^\n]*)(?:\n|\Z)")
_QUOTED = re.compile(r"""(?:'[^']*'|"(?:[^"\\]|\\.)*")+""", re.DOTALL)
_PART = re.compile(r"""'([^']*)'|"((?:[^"\\]|\\.)*)\"""", re.DOTALL)
_ESCAPE = re.compile(r"\\([n\"$`\\])")


def parse_variables(text: str, name: str) -> dict[str, str]:
    """Return the variables of a text; `name` is what mistakes call it.

    Raises:
        OvermindError: `invalid`, naming file and line.
    """
    text = text.removeprefix("\ufeff")
    variables = {}
    at = 0
    while at < len(text):
        if (blank := _REST.match(text, at)) is not None:
            at = blank.end()
            continue
        head = _HEAD.match(text, at)
        if head is None:
            raise _mistake(text, at, name, "write KEY=VALUE")
        if text[head.end() : head.end() + 1] in {"'", '"'}:
            variables[head[1]], at = _quoted(text, head, name)
        else:
            variables[head[1]], at = _plain(text, head)
    return variables


def _mistake(text: str, at: int, name: str, what: str) -> OvermindError:
    return OvermindError("invalid", f"{name}:{text.count(chr(10), 0, at) + 1}: {what}.")


def _plain(text: str, head: re.Match[str]) -> tuple[str, int]:
    """An unquoted value without its comment, and where the next line begins."""
    found = _PLAIN.match(text, head.end())
    assert found is not None
    return re.split(r"(?:^|\s+)#", found[1], maxsplit=1)[0].strip(), found.end()


def _quoted(text: str, head: re.Match[str], name: str) -> tuple[str, int]:
    """A quoted value, and where the next line begins.

    Raises:
        OvermindError: `invalid`, a quote has no end, or more stands behind it.
    """
    found = _QUOTED.match(text, head.end())
    if found is None:
        raise _mistake(text, head.start(), name, "the quote is not closed")
    rest = _REST.match(text, found.end())
    if rest is None:
        raise _mistake(text, head.start(), name, "there is more behind the quoted value: is a quote not closed?")
    return "".join(map(_unquoted, _PART.finditer(found[0]))), rest.end()


def _unquoted(part: re.Match[str]) -> str:
    if part[1] is not None:
        return part[1]
    return _ESCAPE.sub(lambda escape: "\n" if escape[1] == "n" else escape[1], part[2])
