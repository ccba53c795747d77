"""Tables hold whatever the cells contain; sizes read well."""

from __future__ import annotations

import json

import pytest

from overmind_core.cli import output
from overmind_core.cli.output import command_cell, dumps, safe_text, size, table
from overmind_core.domain.text.cells import width
from tests.kit.cases import tabled


def test_columns_are_aligned_by_cells_not_characters():
    text = table(["NAME", "STATUS"], [["漢字", "running"], ["plain", "stopped"], ["é", "x"]])

    starts = {
        width(line[: line.rindex(word)])
        for line, word in zip(text.split("\n"), ["STATUS", "running", "stopped", "x"], strict=True)
    }
    assert starts == {7}


@tabled("hostile", ["\x1b[31mred", "a\nb", "\x07", "\u202eabc", "\udcff", "\U0010dcff", "tab\there"])
def test_no_character_breaks_a_table_or_reaches_the_terminal_raw(hostile):
    text = table(["NAME", "COMMAND"], [[hostile, hostile], ["x", "y"]])

    assert len(text.split("\n")) == 3
    assert not set(text) & {"\x1b", "\x07", "\u202e", "\t", "\udcff"}


def test_a_long_command_is_cut_to_forty_cells():
    assert width(command_cell("漢" * 50)) <= 40
    assert command_cell("x" * 41) == "x" * 37 + "..."
    assert command_cell("x" * 40) == "x" * 40


@pytest.mark.parametrize("cells", [120, 100, 80, 70])
def test_on_a_terminal_a_row_is_a_line_and_its_name_whole(cells, monkeypatch):
    titles = ["ID", "NAME", "STATUS", "REASON", "COMMAND"]
    rows = [["a1b2c3d4", "漢字-a-name", "running", "r" * 60, "c" * 40], ["b1b2c3d4", "b", "x", "-", "make"]]
    wide = table(titles, rows)
    monkeypatch.setattr(output, "_terminal_room", lambda: cells)
    text = table(titles, rows, colours={"running": "32"}).replace("\x1b[32m", "").replace("\x1b[0m", "")
    assert max(map(width, wide.split("\n"))) > max(map(width, text.split("\n"))) <= cells
    assert text.split("\n")[1].startswith("a1b2c3d4  漢字-a-name  running  r")
    assert "..." in text
    assert text.split("\n")[2].split() == rows[1]


@pytest.mark.parametrize(("cells", "titles"), [(44, "ID NAME STATUS REASON COMMAND"), (33, "ID NAME STATUS")])
def test_on_a_narrow_terminal_columns_stand_closer_and_the_last_are_left_out(cells, titles, monkeypatch):
    rows = [["a1b2c3d4", "api-name", "running", "r" * 20, "c" * 40]]
    monkeypatch.setattr(output, "_terminal_room", lambda: cells)
    lines = table(["ID", "NAME", "STATUS", "REASON", "COMMAND"], rows).split("\n")
    assert lines[0].split() == titles.split()
    assert max(map(width, lines)) <= cells
    assert lines[1].split()[:2] == ["a1b2c3d4", "api-name"]


def test_a_table_that_fits_its_terminal_is_as_it_is(monkeypatch):
    rows = [["a1b2c3d4", "api", "running", "c" * 40]]
    text = table(["ID", "NAME", "STATUS", "COMMAND"], rows)
    monkeypatch.setattr(output, "_terminal_room", lambda: width(text.split("\n")[1]))
    assert table(["ID", "NAME", "STATUS", "COMMAND"], rows) == text


STAYING = [
    # cells of a line, titles that are left, cells of the last column
    (64, "ID NAME STATUS PARENT COST SOURCE NOW", 16),
    (58, "ID NAME STATUS PARENT COST SOURCE NOW", 16),
    (57, "ID NAME STATUS PARENT COST NOW", 22),
    (50, "ID NAME STATUS COST NOW", 22),
    (43, "ID NAME STATUS NOW", 21),
    (37, "ID NAME NOW", 23),
    (29, "ID NAME", 3),
]


@pytest.mark.parametrize(("cells", "titles", "last"), STAYING)
def test_a_column_that_stays_is_left_out_last_and_those_in_which_nothing_stands_first(cells, titles, last, monkeypatch):
    names = ["ID", "NAME", "STATUS", "PARENT", "COST", "SOURCE", "NOW"]
    rows = [["a1b2c3d4", "api", "running", "-", "$0.12", "-", "n" * 40], ["b1b2c3d4", "b", "x", "-", "-", "-", "-"]]
    whole = table(names, rows)
    assert table(names, rows, stays="NOW") == whole
    monkeypatch.setattr(output, "_terminal_room", lambda: cells)
    lines = table(names, rows, stays="NOW").split("\n")
    assert lines[0].split() == titles.split()
    assert max(map(width, lines)) <= cells
    assert width(lines[1].split()[-1]) == last


def test_only_the_status_is_painted_and_alignment_stays():
    rows = [["running", "running"], ["crashed", "x"]]

    plain = table(["NAME", "STATUS"], rows)
    painted = table(["NAME", "STATUS"], rows, colours={"running": "32", "crashed": "31"})

    assert painted.count("\x1b[32m") == 1
    assert painted.replace("\x1b[32m", "").replace("\x1b[31m", "").replace("\x1b[0m", "").split() == plain.split()


def test_json_is_one_compact_line():
    assert dumps({"a": [1, None], "b": "x\ny"}) == '{"a":[1,null],"b":"x\\ny"}'


@tabled(
    ("count", "text"),
    [
        (None, "-"),
        (0, "0 B"),
        (999, "999 B"),
        (1500, "1.5 KB"),
        (24_700_000, "25 MB"),
        (1.2e9, "1.2 GB"),
        (5e16, "50000 TB"),
    ],
)
def test_a_size_has_the_unit_a_person_expects(count, text):
    assert size(count) == text


@tabled("control", ["\x1b[31m", "\x7f", "\x9b31m", "\u202e", "\u2066", "\u2028", "\x07"])
def test_no_json_makes_a_terminal_act(control):
    for indent in (None, 2):
        text = dumps({"text": f"漢{control}x"}, indent=indent)
        assert "".join(text.split()).isprintable()
        assert json.loads(text) == {"text": f"漢{control}x"}


def test_what_an_agent_wrote_is_harmless_where_a_person_looks(monkeypatch):
    text = "one\n\x1b]0;title\x07\x1b[2J\x1b[31mtwo\x9b\u202e\x1b[0m\n\n漢"
    assert safe_text(text) == text

    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert safe_text(text) == "one\ntwo\n\n漢"
