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


def test_rows_that_are_measured_anew_stand_where_they_stood_and_new_ones_behind_them():
    rows = [ROW._replace(what=name) for name in ("a", "b", "c")]
    before = table.markdown(rows, command="make bench", machine="2 cores", gaps=["skipped: pages: no browser"])
    anew = [ROW._replace(what="b", ours="30/s"), ROW._replace(what="b of late")]
    after = table.with_rows(before, anew, names=["b"], machine="4 cores")
    assert [line.split(" | ")[0] for line in after.splitlines()[4:8]] == ["| a", "| b", "| b of late", "| c"]
    assert "| b | 30/s |" in after
    assert after.splitlines()[0] == "Made by `make bench` on 2 cores; measured again: `b` on 4 cores."
    assert after.splitlines()[8:] == before.splitlines()[7:]


def test_each_measurement_is_said_to_be_of_its_newest_run():
    found = table.markdown([ROW], command="make bench", machine="2 cores")
    for names, machine in ((["a", "b"], "4 cores"), (["a"], "5 cores"), (["c", "a"], "6 cores")):
        found = table.with_rows(found, [ROW], names=names, machine=machine)
    head = "Made by `make bench` on 2 cores; measured again: `a b` on 4 cores; measured again: `c a` on 6 cores."
    assert found.splitlines()[0] == head


def test_only_what_stands_between_the_marks_is_replaced():
    document = f"before\n{table.BEGIN}\nold\n{table.END}\nafter\n"
    once = table.replaced(document, lambda _: "new")
    assert once == f"before\n{table.BEGIN}\nnew\n{table.END}\nafter\n"
    assert table.replaced(once, lambda _: "new") == once


@pytest.mark.parametrize("document", ["", table.BEGIN, table.END])
def test_a_document_without_marks_is_refused(document):
    with pytest.raises(ValueError, match="no place"):
        table.replaced(document, lambda _: "new")


def test_the_readme_has_a_place_for_the_table():
    with open(table.README, encoding="utf-8") as file:
        table.replaced(file.read(), lambda old: old)


def test_a_printed_row_has_no_markup():
    assert table.plain(ROW) == "starts: 20/s, tmux 10/s: 2.00× (1.90–2.10) (goal ≥ 2×: met)"
