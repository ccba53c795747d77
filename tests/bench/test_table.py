"""The table in bench/README.md."""

from __future__ import annotations

import pytest

from bench import table
from bench.figures import Figure

ROW = Figure("starts", "20/s", "tmux 10/s", "**2.00×** (1.90–2.10)", "≥ 2×", met=True)


def test_a_row_is_a_line_of_the_table():
    text = table.markdown([ROW, ROW._replace(met=False)], command="make bench", machine="2 cores")
    head, _, columns, _, met, missed = text.splitlines()
    assert head == "Made by `make bench` on 2 cores."
    assert columns.startswith("| what | Overmind |")
    assert met == "| starts | 20/s | tmux 10/s | **2.00×** (1.90–2.10) | ≥ 2× | yes |"
    assert missed.endswith("| **no** |")


def test_what_is_not_in_the_table_stands_below_it():
    text = table.markdown([ROW], command="make bench", machine="2 cores", gaps=["skipped: pages: no browser"])
    assert text.splitlines()[-4:] == ["", "Not in this table:", "", "* skipped: pages: no browser"]


def test_only_what_stands_between_the_marks_is_replaced():
    document = f"before\n{table.BEGIN}\nold\n{table.END}\nafter\n"
    once = table.replaced(document, "new")
    assert once == f"before\n{table.BEGIN}\nnew\n{table.END}\nafter\n"
    assert table.replaced(once, "new") == once


@pytest.mark.parametrize("document", ["", table.BEGIN, table.END])
def test_a_document_without_marks_is_refused(document):
    with pytest.raises(ValueError, match="no place"):
        table.replaced(document, "new")


def test_the_readme_has_a_place_for_the_table():
    with open(table.README, encoding="utf-8") as file:
        table.replaced(file.read(), "new")


def test_a_printed_row_has_no_markup():
    assert table.plain(ROW) == "starts: 20/s, tmux 10/s: 2.00× (1.90–2.10) (goal ≥ 2×: met)"
