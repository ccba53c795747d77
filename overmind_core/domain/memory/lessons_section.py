"""The section `Lessons:` of an agent's final message: its items. Pure."""

from __future__ import annotations

import re

from overmind_core.domain.memory.notes import LONGEST_TEXT

_HEADING = re.compile(
    r"\s{0,3}(?:#{1,6}\s*|>\s*)?(?P<strong>\*\*|__|)Lessons?(?:\s+learn(?:ed|t))?\s*"
    r"(?P<sign>:?)\s*(?P=strong)\s*(?P<late>:?)\s*(?P<rest>.*)",
    re.IGNORECASE,
)
_ITEM = re.compile(r"(?P<indent>\s*)(?:[-*+•–]|\d{1,3}[.)])\s+(?P<text>\S.*)")
_ANY_HEADING = re.compile(r"\s{0,3}#{1,6}\s|\s{0,3}\*\*[^*]+:?\*\*:?\s*$|\s{0,3}[A-Z][\w ]{0,40}:\s*$|---+\s*$")
_FENCE = re.compile(r"\s{0,3}(?:```|~~~)")
_NOTHING = re.compile(r"[\s*_(]*(?:none|nothing(?: new)?|n/?a|no lessons?|-)[\s*_.)]*", re.IGNORECASE)
_MOST_LINES = 2000
"""At the end of a message that are looked at."""


def lessons_of(message: str) -> list[str]:
    """The items of the last section of that name; a message without one has none.

    An item may go on in indented lines. What stands in a block of code is no section.
    """
    lines = message.splitlines()[-_MOST_LINES:]
    start, rest = _section(lines)
    if start is None:
        return []
    items = [[rest]] if rest else []
    is_open = bool(rest)
    indent = 0
    for line in lines[start + 1 :]:
        found = _ITEM.fullmatch(line.rstrip())
        if found is not None:
            depth = len(found["indent"].expandtabs(4))
            if items and is_open and depth > indent + 1:
                items[-1].append(f"- {found['text']}")
                continue
            items.append([found["text"]])
            indent, is_open = depth, True
        elif not line.strip():
            is_open = False
        elif _ANY_HEADING.match(line) or not items or (not is_open and not line[:1].isspace()):
            break
        else:
            items[-1].append(line.strip())
            is_open = True
    texts = ("\n".join(item).strip() for item in items)
    return [text for text in texts if 0 < len(text) <= LONGEST_TEXT and not _NOTHING.fullmatch(text)]


def _section(lines: list[str]) -> tuple[int | None, str]:
    """The line with the last heading, and what stands behind it."""
    is_code = False
    found: tuple[int | None, str] = (None, "")
    for number, line in enumerate(lines):
        if _FENCE.match(line):
            is_code = not is_code
        elif not is_code and (heading := _HEADING.fullmatch(line)) is not None:
            rest = heading["rest"].strip()
            has_sign = bool(heading["sign"] or heading["late"])
            is_marked = bool(heading["strong"]) or line.lstrip().startswith("#")
            if has_sign or (is_marked and not rest):
                found = (number, rest)
    return found
