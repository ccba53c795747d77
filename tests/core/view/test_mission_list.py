"""The list of missions as it is drawn: the pictures of the screen, its columns, and which of its lines are seen."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from overmind_core.view import list_columns, mission_list, row_filter
from overmind_core.view.grouping import grouped, ordered
from overmind_core.view.groups import Group, Wish
from overmind_core.view.mission_list import FOLD, Look
from overmind_core.view.row_words import Facts
from tests.kit import screen_list as kit
from tests.kit.cases import tabled
from tests.kit.screen_pictures import texts

FACTS = Facts(kit.NOW, kit.ZONE, kit.HEALTH)
DAY = (kit.DAY, kit.QUESTIONS)


def lines_of(listing, *, cells=80, roomy=False, marked=frozenset(), wanted="", facts=FACTS, **more):
    look = Look(list_columns.laid_out(cells), facts, marked=marked, **more)
    return mission_list.drawn(mission_list.slots(listing, roomy=roomy, marked=marked, wanted=wanted), look)


def listed(rows, questions=(), **wish):
    made = Wish(**wish)
    return grouped(ordered(rows, made.order, kit.NOW), questions, kit.NOW, made)


def test_the_cursor_has_a_ground_and_a_bar_which_are_faint_while_the_keys_are_elsewhere():
    listing = listed([kit.mission("a", 9.0), kit.ended("b", 5.0)])
    for focused, ground, tone in ((True, "cursor", "accent"), (False, "cursor-rest", "rule")):
        for key in ("a", FOLD):
            lines = [line for line in lines_of(listing, cursor=key, focused=focused) if line.ground]
            assert [(line.key, line.ground, line.cells[0]) for line in lines] == [(key, ground, ("▌", tone))]


def toned(line):
    return [(cell.text.strip(), cell.tone) for cell in line.cells if cell.text.strip()]


def test_a_row_has_two_colours_at_most():
    rows = [
        kit.agent("a", 9.0, "limited", 5.0, 0.1, "no credit", attempt=1),
        kit.mission("b", 8.0, now="line"),
        kit.ended("c", 5.0, "failed", unseen=True, exit_code=1, now="exit 1: E999"),
    ]
    _, limited, runs, failed, *_ = lines_of(listed(rows))
    assert toned(limited) == [
        ("≈", "slow"), ("a", ""), ("limited", "slow"), ("5s", "quiet"), ("$0.10", "quiet"), ("no credit", "quiet"),
    ]  # fmt: skip
    assert toned(runs) == [("▶", "good"), ("b", ""), ("working", "quiet"), ("8s", "quiet"), ("line", "quiet")]
    assert toned(failed) == [
        ("•", "accent"), ("✖", "bad"), ("c", "news"), ("failed (1)", "bad"), ("1m", "quiet"), ("E999", ""),
    ]  # fmt: skip


def test_what_ended_and_was_seen_is_quiet_altogether():
    *_, row = lines_of(listed([kit.ended("a", 9.0, "failed", exit_code=1)], unfolded=True))
    assert {tone for text, tone in toned(row)} == {"quiet"}


FOLDS = [
    ({}, False, " ▸ 2 ended: 1 succeeded, 1 stopped   enter unfolds"),
    ({"unfolded": True}, False, " ▾ 2 ended: 1 succeeded, 1 stopped   enter folds"),
    ({}, True, "•▸ 2 ended: 1 succeeded, 1 stopped   enter unfolds"),
]


@tabled(("wish", "unseen", "text"), FOLDS)
def test_the_line_of_those_that_ended(wish, unseen, text):
    listing = listed([kit.ended("a", 9.0), kit.ended("b", 8.0, "stopped", unseen=unseen)], **wish)
    found = [line for line in lines_of(listing) if line.key == FOLD]
    assert texts([line.cells for line in found]) == [text]


def test_without_anything_that_runs_the_first_line_says_so_and_has_the_columns():
    line, *_ = lines_of(listed([kit.ended("a", 9.0)]))
    assert texts([line.cells]) == [" nothing runs        STATE       FOR    COST  NOW"]


HEADINGS = [
    ({"filter": "test_cart"}, (), [" 0 of 3 need you     STATE       FOR    COST  NOW", " 1 of 9 running"]),
    ({"filter": "nobody"}, (), [" nothing matches nobody: esc shows all 45"]),
    ({}, {"web", "done-1"}, [" needs you           STATE       FOR    COST  NOW", " 9 running   2 marked, 1 hidden"]),
    ({"grouped": False}, (), [" 49 missions         STATE       FOR    COST  NOW"]),
    ({"grouped": False}, {"api"}, [" 49 missions   1 marked          FOR    COST  NOW"]),
]


@tabled(("wish", "marked", "found"), HEADINGS)
def test_headings_say_what_is_shown(wish, marked, found):
    wish = {key: row_filter.parsed(value) if key == "filter" else value for key, value in wish.items()}
    lines = lines_of(listed(*DAY, **wish), marked=frozenset(marked), wanted="nobody")
    assert texts([line.cells for line in lines if line.key is None]) == found


def test_a_list_without_any_that_needs_attention_says_so():
    lines = lines_of(listed([kit.mission("a", 9.0)], attention=True))
    assert texts([line.cells for line in lines]) == [" nothing needs attention: esc shows all 1"]


def test_a_marked_row_has_a_sign():
    lines = lines_of(listed([kit.mission("a", 9.0, unseen=True)]), marked={"a"})
    assert lines[1].cells[1] == ("*", "accent")


def test_the_sorted_column_has_an_arrow_and_the_chosen_one_the_accent():
    line, *_ = lines_of(listed([kit.mission("a", 9.0)]), sorted_by=("cost", False), chosen="for")
    assert ("COST↓", "faint") in toned(line)
    assert ("FOR", "accent") in toned(line)


def test_the_names_have_a_title_only_while_it_says_something():
    """They need none, unless rows are sorted by them, or somebody chooses a column."""
    for more, title, tone in (
        ({"sorted_by": ("name", True)}, "NAME↑", "faint"), ({"chosen": "name"}, "NAME", "accent"),
    ):  # fmt: skip
        line, *_ = lines_of(listed([kit.mission("a", 9.0)]), **more)
        assert (title, tone) in toned(line)
        assert texts([line.cells]) == [f" 1 running{title:>9}  STATE       FOR    COST  NOW"]


def test_signs_can_be_ascii():
    lines = lines_of(listed([kit.mission("a", 9.0, attached=1)]), ascii_only=True)
    assert lines[1].cells[2].text == "> "
    assert "a &" in texts([lines[1].cells])[0]


NAMES = [
    ("short", "parent", "short ‹ parent  "),
    ("a-longer", "parent", "a-longer ‹ pare…"),
    ("ten-letter", "parent", "ten-letter      "),
    ("much-too-long-a-name", "parent", "much-too-long-a…"),
]


@tabled(("name", "parent", "shown"), NAMES)
def test_an_own_name_is_whole_before_that_of_its_parent(name, parent, shown):
    rows = [kit.agent("p", 99.0, "waiting", 5.0, 0.1, "x", name=parent), kit.mission("c", 9.0, parent="p", name=name)]
    *_, line = lines_of(listed(rows))
    assert "".join(cell.text for cell in line.cells)[4:20] == shown


def test_guides_leave_room_for_a_name():
    rows = [kit.mission(f"m{n}", 99.0 - n, parent=f"m{n - 1}" if n else None) for n in range(9)]
    shown = [text[4:20].rstrip() for text in texts([line.cells for line in lines_of(listed(rows))])]
    assert shown[2:] == ["└ m1", "  └ m2", "    └ m3", "      └ m4", "        └ m5", "…m6", "…m7", "…m8"]


KEYS = [
    (40, "name state now"),
    (60, "name state now"),
    (63, "name state for now"),
    (80, "name state for cost now"),
    (100, "name state for cost now"),
    (110, "name state for cost cpu now"),
    (115, "name state for cost cpu now"),
    (116, "name state for cost cpu agent now"),
    (200, "name state for cost cpu agent now"),
]


@tabled(("cells", "keys"), KEYS)
def test_columns_go_where_there_is_little_room(cells, keys):
    assert " ".join(list_columns.laid_out(cells).keys) == keys


@given(st.integers(40, 250), st.booleans(), st.integers(0, 20))
@example(70, False, 12)
@example(133, True, 0)
def test_columns_fit_and_the_sentence_has_its_room(cells, wide, host):
    layout = list_columns.laid_out(cells, {"hive": host, "command": 99}, wide=wide)
    ends = [4 + layout.name, *(one.start + one.cells for one in layout.columns)]
    assert all(end <= one.start for end, one in zip(ends, layout.columns, strict=False))
    assert ends[-1] == cells - 1
    if cells >= 70:
        assert layout.columns[-1].cells >= list_columns.LEAST_NOW
    assert (host > 0) is ("hive" in layout.keys) or cells < 70


def test_names_are_long_where_the_sentence_has_room():
    assert [list_columns.laid_out(cells).name for cells in (99, 100, 120, 123, 200)] == [16, 20, 20, 28, 28]


@tabled(
    ("cells", "longest", "name"),
    [(99, 40, 16), (122, 40, 20), (123, 40, 28), (130, 40, 35), (200, 28, 28), (200, 33, 33), (200, 99, 48)],
)
def test_the_longest_name_is_whole_where_the_sentence_keeps_its_room(cells, longest, name):
    layout = list_columns.laid_out(cells, {"name": longest})
    assert layout.name == name
    assert layout.name <= 20 or layout.columns[-1].cells >= list_columns.LONG_KEEPS
    assert list_columns.laid_out(cells, {"name": 0}, layout) == layout, "it only grows"


def test_a_name_that_is_measured_is_drawn_whole():
    rows = [
        kit.agent("p", 99.0, "waiting", 5.0, 0.1, "x", name="release-of-the-spring"),
        kit.mission("c", 9.0, parent="p", name="documentation-writer", attached=1),
    ]
    listing = listed(rows)
    look = Look(list_columns.laid_out(200, list_columns.needed(listing.entries, FACTS)), FACTS)
    shown = texts([line.cells for line in mission_list.drawn(mission_list.slots(listing, roomy=False), look)])
    assert "documentation-writer ⌨ ‹ release-of-the-spring " in "\n".join(shown)


def test_widths_only_grow_and_a_column_stays():
    before = list_columns.laid_out(100, {"hive": 9})
    after = list_columns.laid_out(100, {"hive": 6}, before)
    assert after == before
    assert list_columns.laid_out(100, {}, after).keys == before.keys
    assert "hive" not in list_columns.laid_out(101, {}, after).keys


def test_a_question_about_what_is_no_mission_has_a_line_in_the_wide_list():
    about = {"kind": "quest", "id": "q1", "name": "fix"}
    asked = kit.question(1, "q1", 65.0, "review of fix", name="fix", about=about, need="review", part="")
    listing = listed([], [asked])
    look = Look(list_columns.laid_out(200, list_columns.needed(listing.entries, FACTS, wide=True), wide=True), FACTS)
    _, line = texts([line.cells for line in mission_list.drawn(mission_list.slots(listing, roomy=False), look)])
    assert line.split() == ["!", "fix", "asks", "1m", "review", "of", "fix"]


def test_hosts_have_a_column():
    rows = [kit.mission("eu1/a", 9.0, hive="eu1", now="x"), kit.mission("b", 8.0, hive="local")]
    listing = listed(rows)
    needs = list_columns.needed(listing.entries, FACTS)
    look = Look(list_columns.laid_out(80, needs), FACTS)
    lines = texts([line.cells for line in mission_list.drawn(mission_list.slots(listing, roomy=False), look)])
    assert lines[0] == " 2 running           HOST  STATE       FOR    COST  NOW"
    assert lines[1].startswith("  ▶ a                eu1   working      9s")


CHANGED = {"added": 1120, "removed": 14}
HAS_CHANGED = [(129, False, CHANGED, False), (130, False, CHANGED, True), (200, False, CHANGED, True),
               (200, False, None, False), (200, False, {"added": 0, "removed": 0}, False),
               (129, True, CHANGED, True)]  # fmt: skip


@tabled(("cells", "wide", "changed", "shown"), HAS_CHANGED)
def test_changed_lines_have_a_column_where_there_is_room_and_a_mission_changed_some(cells, wide, changed, shown):
    listing = listed([kit.mission("a", 9.0, changed_lines=changed)])
    layout = list_columns.laid_out(cells, list_columns.needed(listing.entries, FACTS, wide=wide), wide=wide)
    assert ("changed" in layout.keys) is shown
    drawn = mission_list.drawn(mission_list.slots(listing, roomy=False), Look(layout, FACTS))
    head, line = texts([one.cells for one in drawn])
    assert (" CHANGED" in head) is shown
    assert (" +1,120 \N{MINUS SIGN}14 " in line) is shown


def test_the_wide_list_shows_further_columns():
    rows = [kit.mission("a", 9.0, tokens={"input": 5}, memory_bytes=2e6)]
    listing = listed(rows)
    needs = list_columns.needed(listing.entries, FACTS, wide=True)
    layout = list_columns.laid_out(160, needs, wide=True)
    assert " ".join(layout.keys) == "name state for cost cpu agent id age tokens restarts exit memory command now"
    assert layout.at(5) == "name"
    assert layout.at(layout.columns[0].start) == "state"
    assert layout.at(0) == ""


WINDOWS = [
    (9, 5, 9, None, None, 0),
    (16, 10, 9, None, None, 6),
    (16, 1, 9, None, None, 0),
    (16, 15, 9, None, None, 7),
    (16, 5, 9, 3, None, 3),
    (16, 3, 9, 3, None, 2),
    (16, 12, 9, 3, None, 4),
    (16, 10, 9, 3, 5, 5),
    (16, 2, 9, 3, 5, 0),
]


@tabled(("count", "at", "height", "top", "line", "so"), WINDOWS)
def test_which_lines_are_seen(count, at, height, top, line, so):
    assert mission_list.first_seen(count, at, height, top=top, line=line) == so


@given(st.integers(1, 60), st.integers(0, 59), st.integers(2, 30), st.none() | st.integers(0, 60))
def test_the_cursor_and_the_headings_of_the_columns_are_always_seen(count, at, height, top):
    at = min(at, count - 1)
    lines = [mission_list.Slot(mission_list.Kind.ROW, key=str(place)) for place in range(count)]
    seen = mission_list.seen(lines, height, mission_list.first_seen(count, at, height, top=top))
    assert len(seen) == min(count, height)
    assert lines[0] in seen
    assert lines[at] in seen


SCROLLED = [
    ({}, 0, "needs you", "api"),
    ({}, 1, "needs you   1 more above", "cart-vat"),
    ({}, 2, "needs you   2 more above", "docs"),
    ({}, 3, "3 need you above", "9 running"),
    ({}, 4, "9 running   3 need you above", "release"),
    ({}, 10, "9 running   3 need you above", "i18n"),
    ({}, 13, "ended   3 need you above", "unit"),
    ({}, 14, "3 need you above", "32 ended"),
    ({"marked": {"web", "db"}}, 3, "3 need you above", "9 running   2 marked"),
    ({"marked": {"web", "db"}}, 10, "9 running   3 need you above   2 marked", "i18n"),
]


@tabled(("more", "top", "heading", "below"), SCROLLED)
def test_a_scrolled_list_says_whose_rows_are_in_sight_and_who_needs_a_person_above(more, top, heading, below):
    listing = grouped(ordered(kit.DAY, None, kit.NOW), kit.QUESTIONS, kit.NOW, sizes=kit.SIZES_OF_PLANS)
    lines = mission_list.slots(listing, roomy=False, **more)
    look = Look(list_columns.laid_out(80), FACTS, **more)
    first, *others = texts([line.cells for line in mission_list.drawn(mission_list.seen(lines, 4, top), look)])
    assert first.startswith(f" {heading}  ")
    assert first.split()[len(heading.split()) :][-1] == "NOW", "then columns"
    assert below in others[0]


@tabled(
    ("top", "words", "row"),
    [(0, "needs you", "api"), (0, "STATE", None), (2, "needs you", "api"), (3, "3 need you above", "api"),
     (4, "9 running", "release"), (10, "9 running", "release"), (13, "ended", "unit"), (14, "3 need you above", "api"),
     (14, "NOW", None)],
)  # fmt: skip
def test_the_mouse_finds_the_first_row_of_the_group_whose_heading_it_is_on(top, words, row):
    listing = grouped(ordered(kit.DAY, None, kit.NOW), kit.QUESTIONS, kit.NOW, sizes=kit.SIZES_OF_PLANS)
    lines = mission_list.slots(listing, roomy=False)
    head, *_ = mission_list.drawn(mission_list.seen(lines, 4, top), Look(list_columns.laid_out(80), FACTS))
    group = head.group_at("".join(cell.text for cell in head.cells).index(words))
    assert (None if group is None else mission_list.first_of(lines, group)) == row


def test_a_group_without_rows_and_a_heading_of_none_lead_nowhere():
    nobody = mission_list.slots(listed(*DAY, filter=row_filter.parsed("test_cart")), roomy=False)
    assert mission_list.first_of(nobody, Group.NEEDS) is None
    for line in lines_of(listed([kit.ended("a", 9.0)])):
        assert line.group_at(3) is None
    assert mission_list.ListLine([]).group_at(0) is None


def test_a_scrolled_list_says_of_one_that_it_needs_a_person():
    rows = [kit.agent("api", 9.0, "waiting", 5.0, 0.1, "?"), *(kit.mission(one, 9.0) for one in "abc")]
    asked = [kit.question(1, "api", 5.0, "?")]
    texts_of = [slot.text for slot in mission_list.slots(listed(rows, asked), roomy=True)]
    assert texts_of[0] == "needs you"
    heading = mission_list.seen(mission_list.slots(listed(rows, asked), roomy=True), 3, 4)[0]
    assert heading.text == "3 running   1 needs you above"


@tabled(("wish", "rows", "heading"), [
    ({"grouped": False}, [kit.mission(one, 9.0) for one in "abcde"], "5 missions"),
    ({"unfolded": True}, [kit.ended(one, 9.0) for one in "abcde"], "nothing runs"),
    ({"unfolded": True}, [kit.mission("m", 9.0), *(kit.ended(one, 9.0) for one in "abcde")], "ended"),
])  # fmt: skip
def test_the_heading_over_others(wish, rows, heading):
    found = mission_list.seen(mission_list.slots(listed(rows, **wish), roomy=False), 3, 3)[0]
    assert found.text == heading


def test_the_cursor_can_stand_on_rows_and_on_the_fold():
    lines = mission_list.slots(listed([kit.mission("a", 9.0), kit.ended("b", 5.0)]), roomy=True)
    assert mission_list.keys_of(lines) == ["a", FOLD]
    assert [mission_list.place_of(lines, key) for key in ("a", FOLD, "z", None)] == [1, 3, None, None]


@tabled(("attached", "looked_at", "shown"), [(0, "", False), (1, "", True), (1, "a", False), (2, "a", True)])
def test_who_only_looks_from_here_types_into_nothing(attached, looked_at, shown):
    (row,) = rows = [kit.mission("a", 9.0, attached=attached)]
    facts = Facts(kit.NOW, looked_at=row["id"] if looked_at else "")
    lines = lines_of(listed(rows), facts=facts)
    assert ("⌨" in "".join(cell.text for line in lines for cell in line.cells)) is shown
