"""Counts in what is drawn are plain words, `3 runs` or `blocked: 3`: no name has a number in brackets behind it."""

from __future__ import annotations

import ast
import re
from itertools import pairwise
from pathlib import Path

import pytest

from tests.kit.overmind import REPOSITORY

DRAWN = sorted(
    path for folder in ("overmind_tui", "overmind_core/view") for path in Path(REPOSITORY, folder).rglob("*.py")
)
_NAMED = re.compile(r"\w\[$")


def bracketed(source):
    """The lines of all texts in which a value in brackets follows a word, or another value."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.JoinedStr):
            continue
        for place, (part, value) in enumerate(pairwise(node.values)):
            if isinstance(part, ast.Constant) and isinstance(value, ast.FormattedValue):
                text = str(part.value)
                if _NAMED.search(text) or (text.endswith("[") and len(text) == 1 and place):
                    found.append(node.lineno)
    return found


@pytest.mark.parametrize("path", DRAWN, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_no_count_stands_in_brackets(path):
    assert bracketed(path.read_text()) == []


def test_what_is_looked_for_is_found():
    assert bracketed('f"runs[{len(x)}]"\nf"{name}[{count}]"\nf"[{text}]"\nf"\\x1b[{gap}C"\nf"[pools.{x}]"') == [1, 2]
