"""Numbers are written in one way, `0.65` and `$0.06`: nothing that is shown has a point with no digit before it."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from overmind_core.domain.text.decimals import decimal, dollars, shortest_decimal
from overmind_core.view.numbers import Cost, cost, money

ROOT = Path(__file__).parents[2]
BARE = re.compile(r"(?:^|(?<=[\s(`×+=|>;]))\$?\.[0-9]+\b(?![./\w])", re.MULTILINE)
CUTS = {("removeprefix", "0"), ("lstrip", "0"), ("replace", "0."), ("replace", "$0.")}
"""Calls that take the zero away."""
OF_TERMINALS = {"overmind_core/logs/line.py"}
"""Where zeros are taken from what is no number for people: the codes of an escape sequence."""
SHELL = re.compile(r"sleep \.[0-9]+")
SHOWN = sorted(
    path
    for folder in ("docs", "snapshots", "overmind_web/static/pages")
    for path in (ROOT / folder).rglob("*")
    if path.suffix in {".md", ".1", ".txt", ".svg", ".json", ".js"} and "vendor" not in path.parts
)


def sources() -> Iterator[tuple[str, ast.Module]]:
    for package in ("overmind_core", "overmind_tui", "overmind_web"):
        for path in sorted((ROOT / package).rglob("*.py")):
            yield os.path.relpath(path, ROOT), ast.parse(path.read_text())


def test_nothing_that_is_shown_in_docs_pictures_and_goldens_has_a_bare_point():
    assert SHOWN
    found = {
        str(path.relative_to(ROOT)): bare
        for path in [*SHOWN, ROOT / "README.md", ROOT / "tests" / "contract" / "goldens" / "help.txt"]
        if (bare := BARE.findall(SHELL.sub("", path.read_text())))
    }
    assert found == {}


def test_no_text_of_the_program_has_one_and_no_code_makes_one():
    found = []
    for path, tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                text = SHELL.sub("", node.value)
                if BARE.search(text) and not text.startswith("."):  # the end of a file's name
                    found.append((path, node.lineno, text[:60]))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and path not in OF_TERMINALS:
                words = [one.value for one in node.args if isinstance(one, ast.Constant)]
                if words and (node.func.attr, words[0]) in CUTS:
                    found.append((path, node.lineno, node.func.attr))
    assert found == []


@pytest.mark.parametrize(
    ("number", "two", "shortest"),
    [
        (0.65, "0.65", "0.65"),
        (0.0, "0.00", "0"),
        (1, "1.00", "1"),
        (0.06, "0.06", "0.06"),
        (0.6475, "0.65", "0.6475"),
        (-0.00001, "-0.00", "0"),
        (12.5, "12.50", "12.5"),
    ],
)
def test_a_number_has_a_digit_before_its_point(number, two, shortest):
    assert (decimal(number, 2), shortest_decimal(number, 4)) == (two, shortest)


AMOUNTS = [
    # US dollars, in a line, in a column
    (0.0, "$0.00", "$0.00"),
    (0.00001, "<$0.0001", "<$0.01"),
    (0.0012, "$0.0012", "<$0.01"),
    (0.007, "$0.0070", "$0.01"),
    (0.12, "$0.12", "$0.12"),
    (1234.5, "$1234.50", "$1234"),
]


@pytest.mark.parametrize(("usd", "line", "column"), AMOUNTS)
def test_what_costs_something_is_never_shown_as_nothing(usd, line, column):
    assert (dollars(usd), money(usd)) == (line, column)
    assert cost(Cost(usd, is_estimated=True, is_partial=True)) == f"~{column} + ?"
