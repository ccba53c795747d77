"""Whether the prompt that a program tells of is the message that was typed: programs tidy up what is pasted."""

from __future__ import annotations

import re
from unicodedata import category, normalize

_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")


def is_same(message: str, prompt: str) -> bool:
    """Whether both show the same characters, whatever became of blanks, accents, line ends and control characters."""
    return message.strip() == prompt.strip() or _visible(message) == _visible(prompt)


def _visible(text: str) -> str:
    plain = normalize("NFD", _ESCAPES.sub("", text))
    return "".join(one for one in plain if one.isprintable() and not one.isspace() and category(one) != "Mn")
