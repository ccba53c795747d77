"""The list of missions as it is sent elsewhere: the lines of the terminal, in its order and its words."""

from __future__ import annotations

import json

from overmind_core.view import frames, list_frames, mission_list, numbers, tones
from overmind_core.view.cells import safe
from overmind_core.view.grouping import grouped, needs_in_order, ordered
from overmind_core.view.groups import Entry, Group, Wish
from overmind_core.view.health import AT
from overmind_core.view.list_columns import laid_out
from overmind_core.view.mission_list import FOLD, Look
from overmind_core.view.row_words import Facts
from tests.core.view.test_arrangement import NOW, row
from tests.kit import screen_list
from tests.kit.cases import tabled
from tests.kit.screen_list import DAY, DEMO, HEALTH, QUESTIONS, SIZES_OF_PLANS, ZONE

DAY_FACTS = Facts(screen_list.NOW, ZONE, HEALTH)
WISHES = [
    Wish(), Wish(unfolded=True), Wish(flat=True), Wish(grouped=False), Wish(attention=True), Wish(folded={"release"}),
    Wish(opened={"release"}),
]  # fmt: skip


def listed(wish, rows=DAY):
    return grouped(ordered(rows, wish.order, screen_list.NOW), QUESTIONS, screen_list.NOW, wish, sizes=SIZES_OF_PLANS)


def sent(listing, facts=DAY_FACTS, **more):
    return {key: list_frames.frame(slot, facts, **more) for key, slot in list_frames.lines(listing).items()}


# the whole list


def written(cell, at):
    """A cell as a page shows it: a span goes on behind its text."""
    if len(cell) == 3:
        return cell[1]
    return f"{cell[1]}{numbers.span(abs(at - cell[3]))}"


@tabled("wish", WISHES)
def test_the_lines_are_those_of_the_terminal_with_its_words_in_its_order(wish):
    listing = listed(wish)
    found = sent(listing)
    slots = mission_list.slots(listing, roomy=False)
    assert [slot.key for slot in slots if slot.key] == [key for key in found if key == FOLD or ":" not in key]
    assert [slot.text for slot in slots if slot.text] == [one[2] for one in found.values() if "kind" in one[5]]
    layout = laid_out(400, {}, wide=True)
    for slot, (key, one) in zip(slots, found.items(), strict=True):
        if slot.entry is None:
            continue
        shown = {cell[0]: written(cell, screen_list.NOW) for cell in one[4]}
        for placed in layout.columns:
            text = placed.column.cell(slot.entry, DAY_FACTS).text
            assert shown.get(placed.column.key, "") == text, (key, placed.column.key)
        assert (one[0], one[2]) == (slot.entry.guides, safe(slot.entry.name))


def test_a_working_day_has_its_groups_and_the_fold():
    found = sent(listed(Wish()))
    assert [(key, one[2]) for key, one in found.items() if key.startswith(":")] == [
        (":needs", "needs you"), (":running", "9 running"), (FOLD, "32 ended: 30 succeeded, 1 failed, 1 stopped"),
    ]  # fmt: skip
    assert [key for key, one in found.items() if one[5].get("group") == "needs"] == ["api", "cart-vat", "docs"]
    assert (found["cart-vat"][5]["of"], found["cart-vat"][5]["parent"]) == ("release", "release")
    assert (found["unit"][5]["group"], found["unit"][3], found["api"][3]) == ("above", 1, 2)
    assert (found["release"][5]["past"], found["api"][5]["question"]) == (4, 1)
    assert found[FOLD][5] == {"kind": "fold", "folded": 1}
    assert found[":running"] == ("", "", "9 running", 0, [], {"kind": "heading"})
    assert json.loads(json.dumps(found)) == json.loads(json.dumps(found, ensure_ascii=False))


def test_a_mark_has_the_tone_of_the_terminal():
    look = Look(laid_out(200), DAY_FACTS)
    listing = listed(Wish(unfolded=True))
    drawn = {line.key: line.cells for line in mission_list.drawn(mission_list.slots(listing, roomy=False), look)}
    for key, one in sent(listing).items():
        if not key.startswith(":"):
            assert one[5]["tone"] == tones.named(drawn[key][2].tone), key


def test_all_that_ended_is_sent_while_it_is_unfolded_and_is_quiet_once_it_was_seen():
    found = sent(listed(Wish(unfolded=True)))
    keys = list(found)
    below = keys[keys.index(FOLD) + 1 :]
    assert (len(below), found[FOLD][5]["folded"]) == (32, 0)
    assert all(found[key][5]["quiet"] for key in below)


def test_where_there_are_no_missions_there_is_no_line():
    assert list_frames.lines(listed(Wish(), [])) == {}
    assert list_frames.missions_in([":needs", "a", ":", FOLD]) == ["a"]


def test_who_needs_a_person_is_listed_elsewhere_in_the_same_order():
    first = dict.fromkeys(need.row["id"] for need in needs_in_order(DAY, QUESTIONS, screen_list.NOW))
    assert list(first) == [entry.id for entry in listed(Wish()).needs]


def test_below_whom_others_stand_is_told():
    listing = listed(Wish(), DEMO)
    brood = {row["parent"] for row in DEMO if row["parent"] in {entry.id for entry in listing.running}}
    assert list_frames.opening(listing) == brood
    assert list_frames.shown(listing) == sum(len(listing.of(group)) for group in Group)


# one row


def mission(found, entry=None, facts=None, **more):
    made = entry or Entry(found["id"], found, Group.RUNNING)
    return list_frames.mission(made, facts or Facts(NOW), **more)


def cells(found):
    return {cell[0]: cell[1:] for cell in mission(found)[4]}


def test_a_row_has_the_words_of_the_list_and_tones_by_name():
    ended = {"ended_at": "2025-12-31T23:01:00.000Z", "uptime_seconds": 60.0}
    crashed = row("c", "crashed", exit_code=3, unseen=True, now="exit 3", **ended)
    guides, mark, name, new, shown, facts = mission(crashed, Entry("c", crashed, Group.ABOVE, guides="└ "))
    assert (guides, mark, name, new) == ("└ ", "failed", "c", 1)
    assert {cell[0]: cell[1:] for cell in shown} == {
        "id": ("c", "quiet"), "state": ("failed (3)", "bad"), "for": ("1m", "quiet"),
        "age": ("", "quiet", NOW - 3600.0), "exit": ("3", "bad"), "folder": ("/src", "quiet"),
        "command": ("run c", "quiet"),
    }  # fmt: skip
    assert facts == {"group": "above", "tone": "bad", "type": "task", "status": "crashed"}


def test_a_row_that_stands_still_is_the_same_whatever_the_time():
    found = row("a", activity="working", activity_since="2025-12-31T23:30:00.000Z")
    assert mission(found) == mission(found, facts=Facts(NOW + 1000.0))
    silent = {"a": {"id": "a", "level": "stalled", "silent_seconds": 900.0, AT: NOW}}
    assert mission(found, facts=Facts(NOW, health=silent)) == mission(found, facts=Facts(NOW + 1000.0, health=silent))


TICKING = [
    (row("a"), {"for": ("", "quiet", NOW - 3600.0), "state": ("working", "quiet")}),
    (
        row("a", activity="idle", activity_since="2025-12-31T23:59:00.000Z"),
        {"for": ("", "quiet", NOW - 60.0), "state": ("your turn", "quiet")},
    ),
    (row("a", "restarting", next_restart_at="2026-01-01T00:00:05.000Z"), {"state": ("retry ", "slow", NOW + 5.0)}),
    (row("a", activity="limited", resume_at="2026-01-01T00:04:00.000Z"), {"state": ("limited", "slow")}),
    (
        row("a", "crashed", quest_state="queued", next_try_at="2026-01-01T00:00:05.000Z"),
        {"state": ("retry ", "slow", NOW + 5.0)},
    ),
    (row("a", activity="limited"), {"state": ("limited", "slow")}),
    (
        row("a", "stopped", ended_at="2025-12-31T23:00:30.000Z", uptime_seconds=30.0),
        {"for": ("30s", "quiet"), "state": ("stopped", "quiet")},
    ),
]


@tabled(("found", "wanted"), TICKING)
def test_what_goes_on_by_itself_is_a_moment(found, wanted):
    shown = cells(found)
    assert {key: shown[key] for key in wanted} == wanted


@tabled("found", [one for one, _ in TICKING])
def test_a_moment_says_what_the_text_of_the_terminal_says_now(found):
    entry = Entry(found["id"], found, Group.RUNNING)
    shown = {cell[0]: written(cell, NOW) for cell in mission(found)[4]}
    for column in list_frames.SHOWN:
        assert shown.get(column.key, "") == column.cell(entry, Facts(NOW)).text


def test_what_was_to_be_tried_again_by_now_waits_for_its_turn():
    found = row("a", "crashed", quest_state="queued", next_try_at="2025-12-31T23:59:55.000Z")
    assert cells(found)["state"] == ("queued", "off"), "what waits for its turn is not delayed"


def test_a_silence_lasts_since_its_last_sign_of_life():
    shown = {cell[0]: cell[1:] for cell in sent(listed(Wish()))["db"][4]}
    assert shown["state"][0] == "quiet"
    assert shown["for"] == ("", "quiet", screen_list.NOW - 965.0)


def test_facts_say_what_can_be_done_and_how_a_row_stands_in_the_tree():
    session = row("s", type="session", tty=True, attached=1, parent="a", isolation={"step": None})
    assert mission(session, opens=True)[5] == {
        "group": "running", "tone": "good", "type": "session", "status": "running", "live": True, "terminal": True,
        "attached": True, "worktree": True, "folded": 0, "parent": "a",
    }  # fmt: skip
    killed = row("k", "killed")
    assert mission(killed, Entry("k", killed, Group.BELOW, dimmed=True, folded=4))[5] == {
        "group": "below", "tone": "quiet", "type": "task", "status": "killed", "dimmed": True, "quiet": True,
        "folded": 4,
    }  # fmt: skip


def test_what_the_engine_asks_without_a_mission_is_a_row_of_which_nothing_can_be_asked():
    asked = {
        **screen_list.question(7, "queue", 60.0, "Begin a new round?"),
        "about": {"kind": "quest", "id": "queue", "name": "paint-it"}, "part": "landing", "name": "paint-it",
    }  # fmt: skip
    listing = grouped([], [asked], screen_list.NOW)
    found = sent(listing)
    assert list(found) == [":needs", "queue"]
    facts = found["queue"][5]
    assert (found["queue"][2], facts["stands"], facts["question"]) == ("paint-it", True, 7)
    assert not {"live", "terminal"} & facts.keys()
    (entry,) = listing.needs
    assert list_frames.updated(entry, row("queue")) is entry


def test_a_row_is_written_from_what_is_known_of_its_mission_now():
    entry = Entry("a", row("a"), Group.RUNNING)
    assert list_frames.updated(entry, None) is entry
    assert list_frames.updated(entry, row("a", now="later")).row["now"] == "later"
    assert list_frames.updated(entry, row("a", "killed")).dimmed


HOSTILE = "\x1b[31m\u202e<img src=x onerror=alert(1)>\x00\n"


def test_names_have_no_control_characters_and_nothing_that_turns_the_text_round():
    found = row("h", command=HOSTILE, now=HOSTILE, cwd=HOSTILE, provider=HOSTILE) | {"name": HOSTILE}
    text = json.dumps(mission(found, Entry("h", found, Group.NEEDS, parent=HOSTILE)), ensure_ascii=False)
    assert all(one not in text for one in ("\x1b", "\u202e", "\x00", "\\u0000", "\\u001b"))
    assert "<img src=x onerror=alert(1)>" in text  # as text


def test_columns_stand_in_the_order_of_the_list():
    shown = frames.columns(list_frames.COLUMNS)
    keys = [one["key"] for one in shown]
    assert keys[:7] == ["name", "state", "for", "cost", "cpu", "changed", "agent"]
    assert keys[-1] == "now"
    assert [one["key"] for one in shown if not one.get("wide")] == [*keys[:7], "now"]
