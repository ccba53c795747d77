"""The title of the panel: name, faces, load and note, below the list and beside it, and the line above typing."""

from __future__ import annotations

import pytest

from overmind_core.domain.text.cells import width
from overmind_core.view import load_graph, panel_title, terminal_title
from overmind_core.view.panel_title import DIFF, FACES, LOG, STATS, TERMINAL, PanelTitle, TitleLoad, line
from overmind_core.view.summary import Sample
from tests.kit.cases import tabled
from tests.kit.screen_panel import SEARCH, TITLE_SAMPLES, mission
from tests.kit.screen_pictures import SIZES, pictures, texts

LOAD = panel_title.load_of(SEARCH, TITLE_SAMPLES)
PICTURED = [
    ("log", PanelTitle("search-index", LOG, "follows", load=LOAD)),
    ("diff", PanelTitle("search-index", DIFF, "3 files +46 \N{MINUS SIGN}8", load=LOAD)),
    ("terminal", PanelTitle("search-index", TERMINAL, "80x24, its end", load=LOAD)),
    ("stats", PanelTitle("search-index", STATS, load=LOAD)),
    ("asks", PanelTitle("api", LOG, "follows")),
    ("answer", PanelTitle("api", LOG, "follows", has_keys=True)),
    ("choice", PanelTitle("cart-vat", LOG, "follows", has_keys=True)),
    ("demo", PanelTitle("demo-agent", LOG, "follows")),
    ("needs", PanelTitle("api", "", has_keys=True)),
]


@pytest.mark.parametrize("size", SIZES)
def test_the_line_above_a_terminal_that_is_typed_into(size):
    shown = panel_title.typing_line("search-index", 3, size[0])
    assert texts([shown])[0] == pictures()["typing", size][0]
    assert {cell.tone for cell in shown} == {"typing"}
    assert panel_title.typing_line("search-index", 0, 40)[0].text == " search-index · typing · ctrl-\\ leaves  "
    called = panel_title.typing_line("api", 3, 80, called="my title", leaving=["ctrl-\\", "ctrl-]"])[0].text
    assert called.startswith(" api · my title · typing · ctrl-\\ or ctrl-] leaves ")
    assert called.endswith(" 3 need you: ctrl-\\ . ")
    assert "my title" not in panel_title.typing_line("api", 3, 60, called="my title")[0].text


NOTE = "looking · 200x60, cropped · i types · esc back"


@tabled(("cells", "said"), [(120, NOTE), (90, "200x60, cropped · i types · esc back"),
                               (80, "200x60, cropped · esc back"), (70, "200x60, cropped"), (50, "")])  # fmt: skip
def test_of_a_note_without_room_what_matters_most_is_said(cells, said):
    title = PanelTitle("api", TERMINAL, NOTE, shorter=terminal_title.shortened(NOTE))
    (shown,) = texts([panel_title.line(title, cells, beside=False)])
    assert shown.endswith(f" {said} ──" if said else "─────")


SHORTER = [
    (terminal_title.exited(3), "exited (3)"),
    ("looking · 9 lines back · /12: 3 · 80x24, cropped · esc back", "/12: 3"),
    ("typing", "typing"),
]


@tabled(("note", "least"), SHORTER)
def test_what_is_left_of_a_note_is_what_happened_or_what_is_looked_for(note, least):
    assert terminal_title.shortened(note)[-1] == least


FOUND = "/line 7: 12 · esc stops"


@tabled(
    ("name", "search", "cells", "shown"),
    [
        ("even-lagoon", FOUND, 100, "── even-lagoon · /line 7: 12 · esc stops   log "),
        ("even-lagoon · run 3", FOUND, 80, "── even-lagoon · run… · /line 7: 12 · esc stops   log "),
        ("api", "/line 7: 12", 80, "── api · /line 7: 12   log "),
        ("even-lagoon", f"/{'word ' * 20}: 12", 80, "── even-la… · /word word word word word wo…: 12   log "),
    ],
)
def test_what_is_looked_for_and_how_often_it_is_there_has_its_room_first(name, search, cells, shown):
    (text,) = texts([line(PanelTitle(name, LOG, "paused: s follows", search=search), cells, beside=False)])
    assert text.startswith(shown)
    assert width(text) == cells


@tabled(("cells", "beside"), [(cells, beside) for cells in range(40, 120) for beside in (False, True)])
def test_a_title_has_exactly_its_width(cells, beside):
    title = PanelTitle("a-rather-long-name-日本", DIFF, "12 files +1,046", load=LOAD)
    shown = "".join(cell.text for cell in line(title, cells, beside=beside))
    assert width(shown) == cells


def test_the_face_that_is_shown_is_bold_and_the_name_has_the_accent_while_the_keys_are_here():
    tones = {cell.text: cell.tone for cell in line(PanelTitle("api", DIFF, has_keys=True), 80, beside=False)}
    assert tones["api"] == "accent"
    assert (tones["diff"], tones["log"]) == ("news", "faint")


def test_each_cell_of_a_face_is_that_face_for_the_mouse_and_no_other_cell_is_one():
    for beside, name in ((False, "log"), (True, "log"), (False, "a-rather-long-name-日本")):
        shown = line(PanelTitle(name, DIFF, "12 files"), 90, beside=beside)
        cells = "".join(cell.text + " " * (width(cell.text) - len(cell.text)) for cell in shown)
        found = [panel_title.face_at(shown, x) for x in range(95)]
        for face in FACES:
            begin = cells.index(f"  {face}  ") + 2
            assert [x for x, one in enumerate(found) if one == face] == list(range(begin, begin + len(face)))


LOADS = [
    ((7.0,), 210e6, " cpu 7 % 210 MB · "),
    ((7.0,) * 9, 210e6, " cpu steady 7 % 210 MB · "),
    ((0.0,) * 9, None, " cpu steady 0 % · "),
    ((0.0, 100.0), 1e6, " cpu ▁█ 100 % 1.0 MB 10 s · "),
    ((), 1e6, "─── "),
]


@tabled(("cpu", "memory", "shown"), LOADS)
def test_bars_stand_only_beside_a_number_and_where_something_changes(cpu, memory, shown):
    title = PanelTitle("api", LOG, "follows", load=TitleLoad(cpu, memory))
    text = "".join(cell.text for cell in line(title, 120, beside=False))
    assert text.endswith(shown + "follows ──")


def test_load_is_said_of_what_runs_alone():
    assert panel_title.load_of(mission("a", cpu_percent=None), [Sample(1.0)]) is None
    assert panel_title.load_of(mission("a", status="stopped", cpu_percent=1.0), [Sample(1.0)]) is None


TURNS = [(LOG, (), False, DIFF), (DIFF, {TERMINAL}, False, STATS), (STATS, (), False, LOG), (LOG, (), True, STATS),
         (STATS, {TERMINAL}, True, DIFF), (LOG, set(FACES), False, LOG)]  # fmt: skip


@tabled(("face", "without", "back", "to"), TURNS)
def test_tab_passes_over_a_face_that_a_mission_lacks(face, without, back, to):
    assert panel_title.turned(face, without, back=back) == to


def test_a_program_on_pipes_has_no_terminal_and_a_plan_no_diff():
    assert panel_title.lacking(mission("a", tty=False)) == {TERMINAL}
    assert panel_title.lacking(mission("a", type="blueprint")) == {DIFF, TERMINAL}
    assert not panel_title.lacking(mission("a"))


def test_which_part_of_a_terminal_is_in_sight():
    assert panel_title.first_row(18, 15, 11) == 7
    assert panel_title.first_row(24, 2, 11) == 2
    assert panel_title.terminal_note(80, 24, 13, 11, 24) == "80x24, its end"
    assert panel_title.terminal_note(80, 24, 0, 11, 24) == "80x24, its beginning"
    assert panel_title.terminal_note(80, 24, 3, 11, 24) == "80x24, its middle"
    assert panel_title.terminal_note(80, 24, 3, 11, 14) == "80x24, its end"
    assert panel_title.terminal_note(80, 24, 0, 11, 3) == "80x24", "what is left out says nothing"


SIZES_OF = [(0, "0 B"), (512, "512 B"), (999, "999 B"), (1_000, "1.0 kB"), (9_960, "10 kB"), (210_000_000, "210 MB"),
            (999_700_000, "1.0 GB"), (2_100_000_000, "2.1 GB")]  # fmt: skip


@tabled(("count", "shown"), SIZES_OF)
def test_bytes_with_their_unit(count, shown):
    assert load_graph.size(count) == shown


RATES = [(0, "0 kB/s"), (400, "0.4 kB/s"), (12_000, "12 kB/s"), (1_500_000, "1.5 MB/s")]


@tabled(("count", "shown"), RATES)
def test_bytes_a_second(count, shown):
    assert load_graph.rate(count) == shown
