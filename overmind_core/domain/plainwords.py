"""A shell command whose meaning is plain: words and quotes, no variable, substitution, pattern or file. Pure.

Stricter than `shellparts`, which tells programs apart: here each word is known for certain, so that options can be
judged. Whatever a shell might read in another way is not understood.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_TOKEN = re.compile(
    r"""(?P<blank>[ \t]+(?:\\\n[ \t]*)*)
    | (?P<quiet>(?:[12]?>[ \t]*/dev/null|2>&1)(?=[\s;|&]|\Z))
    | (?P<end>&&|\|\||[;|\n])
    | (?P<word>(?:[A-Za-z0-9_@%+=:,./-]|\\'|'[^'\0]*'|"[^"$`\\!\0]*")+)""",
    re.VERBOSE,
)
_PIECE = re.compile(r"""\\'|'([^']*)'|"([^"]*)"|([^'"\\]+)""")
_HEREDOC = re.compile(r"(?P<head>[^\n]*?)[ \t]*<<[ \t]*'(?P<tag>\w+)'\n(?P<body>.*\n)?(?P=tag)[ \t\n]*", re.DOTALL)


class Plain(NamedTuple):
    """Simple commands in their order, as words without quotes."""

    commands: tuple[tuple[str, ...], ...]


def read(command: str) -> Plain | None:
    """Take a command apart; None: not understood. Text that it is given by `<<'WORD'` is nobody's command."""
    text = _without_text(command.strip(" \t\n"))
    commands: list[tuple[str, ...]] = []
    words: list[str] = []
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            return None
        at = found.end()
        if found["word"] is not None:
            words.append(_unquoted(found["word"]))
        elif found["end"] is not None:
            commands.append(tuple(words))
            words = []
    commands.append(tuple(words))
    return Plain(tuple(one for one in commands if one))


def _without_text(command: str) -> str:
    found = _HEREDOC.fullmatch(command)
    if found is None or found["tag"] in (found["body"] or "").splitlines():
        return command  # whose `<` is not understood
    return found["head"]


def _unquoted(word: str) -> str:
    return "".join("'" if piece[0] == "\\'" else (piece[1] or piece[2] or piece[3] or "") for piece in _pieces(word))


def _pieces(word: str) -> list[re.Match[str]]:
    return list(_PIECE.finditer(word))
