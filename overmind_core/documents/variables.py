"""A text of variables, `KEY=VALUE` lines as shells and docker write them.

Comments begin with # (also after a blank behind an unquoted value), `export ` may stand before a name. In single quotes
everything is literal; in double quotes a backslash before n, ", $, ` and itself is an escape. Nothing is expanded.
"""

from __future__ import annotations

import re

from overmind_core.errors import OvermindError

_NAME = r"[A-Za-z_][A-Za-z0-9_.-]*"
_LINE = rf"(?:export\s+)?({_NAME})\s*=\s*(.*)"
_SINGLE = r"'([^']*)'\s*(?:#.*)?"
_DOUBLE = r'"((?:[^"\\]|\\.)*)"\s*(?:#.*)?'
_ESCAPE = r"\\([n\"$`\\])"


def parse_variables(text: str, name: str) -> dict[str, str]:
    """Return the variables of a text; `name` is what mistakes call it.

    Raises:
        OvermindError: `invalid`, naming file and line.
    """
    variables = {}
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        found = re.fullmatch(_LINE, stripped)
        value = None if found is None else _value(found[2])
        if found is None or value is None:
            what = "write KEY=VALUE" if found is None else "the quote is not closed on this line"
            raise OvermindError("invalid", f"{name}:{number}: {what}.")
        variables[found[1]] = value
    return variables


def _value(written: str) -> str | None:
    """Return a value without its quotes and comment; None when a quote has no end."""
    if written.startswith("'"):
        found = re.fullmatch(_SINGLE, written)
        return found and found[1]
    if written.startswith('"'):
        found = re.fullmatch(_DOUBLE, written)
        return found and re.sub(_ESCAPE, lambda escape: {"n": "\n"}.get(escape[1], escape[1]), found[1])
    return re.split(r"(?:^|\s+)#", written, maxsplit=1)[0]
