"""The words of a row in the list of missions, and their colours."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.missions.reasons import CONVERSATION_LOST
from overmind_core.domain.missions.status_marks import MARKS, OF_WORK, PLANNED, SILENT
from overmind_core.view import missions, row_words
from overmind_core.view.grouping import grouped
from overmind_core.view.groups import Progress, Wish
from overmind_core.view.health import AT
from overmind_core.view.row_words import Facts
from tests.kit.cases import tabled
from tests.kit.screen_list import MINUTE, NOW, ZONE, agent, at, ended, mission, question

FACTS = Facts(NOW, ZONE)


def entry_of(row, *questions):
    listing = grouped([row], questions, NOW, Wish(unfolded=True))
    (entry,) = listing.entries
    return entry


def asking(ago=10.0, **more):
    return agent("a", 100.0, "waiting", ago, 0.1, "Bash: make", **more)


def choice(*asks):
    return {"questions": [{"question": "Which?", "options": list(options)} for options in asks]}


ASKED = [
    ({}, "Bash: make ?"),
    ({"summary": "Go on?"}, "Go on?"),
    ({"need": "question", "summary": "Which?", "subject": choice(["a", "b"])}, "Which?  1 a  2 b"),
    ({"need": "question", "summary": "Which?", "subject": choice(["a"], ["b"])}, "Which?"),
    ({"need": "question", "summary": "Which one"}, "Which one"),
    ({"need": "review", "part": "", "summary": "review of fix"}, "review of fix"),
]


@tabled(("fields", "text"), ASKED)
def test_a_question_in_a_line(fields, text):
    asked = {**question(1, "a", 90.0, "Bash: make"), **fields}
    entry = entry_of(asking(), asked)
    assert row_words.sentence(entry, FACTS) == (text, "")
    assert row_words.state(entry, FACTS) == ("asks", "wait")
    assert row_words.lasts(entry, FACTS) == "1m"


def test_what_was_answered_is_said_until_its_mission_ends():
    facts = FACTS._replace(said={"a": "allowed"})
    assert row_words.state(entry_of(agent("a", 100.0, "working", 10.0, 0.1, "tests")), facts).text == "allowed"
    assert row_words.state(entry_of(ended("a", 100.0)), facts).text == "succeeded"


def test_several_questions_are_counted():
    entry = entry_of(asking(), question(1, "a", 90.0, "one?"), question(2, "a", 5.0, "two?"))
    assert row_words.sentence(entry, FACTS).text == "2 questions: one?"


RUNS = {"now": "line"}
ROWS = [
    (mission("a", 65.0, **RUNS), "working quiet", "1m", "line"),
    (mission("a", 65.0), "working quiet", "1m", "no output yet"),
    (agent("a", 65.0, "idle", 5.0, 0.1, "Done."), "your turn quiet", "5s", "Done."),
    (agent("a", 65.0, "idle", 5.0, 0.1, "Done.", unseen=True), "your turn wait", "5s", "Done."),
    (agent("a", 65.0, "idle", 5.0, 0.1, ""), "your turn quiet", "5s", ""),
    (agent("a", 65.0, "working", 5.0, 0.1, "⚙ Read"), "working quiet", "5s", "⚙ Read"),
    (
        agent("a", 65.0, "limited", 5.0, 0.1, "plan's limit", resume_at=at(-25 * MINUTE)),
        "limited slow", "5s", "plan's limit; goes on at 15:00",
    ),
    (
        agent("a", 65.0, "limited", 5.0, 0.1, "plan's limit", resume_at=at(-12 * 60 * MINUTE)),
        "limited slow", "5s", "plan's limit; goes on 2026-11-29 02:35",
    ),
    (
        agent("a", 65.0, "limited", 5.0, 0.1, "usage limit reached|1795894887", resume_at=at(-25 * MINUTE)),
        "limited slow", "5s", "usage limit reached; goes on at 15:00",
    ),
    (agent("a", 65.0, "limited", 5.0, 0.1, "no credit left"), "limited slow", "5s", "no credit left"),
    (
        mission("a", 65.0, "restarting", exit_code=75, next_restart_at=at(-8.0), now="exit 75: the queue was lost"),
        "retry 8s slow", "1m", "failed (75): the queue was lost",
    ),
    (mission("a", 65.0, "restarting", exit_code=75, next_restart_at=at(-8.0), now="exit 75"), "retry 8s slow", "1m",
     "failed (75)"),
    (ended("a", 9.0, "failed", unseen=True, exit_code=1, now="exit 1: E999"), "failed (1) bad", "1m", "E999"),
    (ended("a", 9.0, "failed", unseen=True, exit_code=1, now="exit 1"), "failed (1) bad", "1m", ""),
    (ended("a", 9.0, "failed", unseen=True, exit_code=127, now="exit 127: foo: not found"), "failed bad", "1m",
     "failed (127): foo: not found"),
    (ended("a", 9.0, "failed", exit_code=1, now="exit 1, its folder does not exist"), "failed (1) quiet", "1m",
     "its folder does not exist"),
    (ended("a", 9.0, "failed", unseen=True, exit_code=0, quest_failure="check_failed", now="its check failed"),
     "failed bad", "1m", "its check failed"),
    (ended("a", 9.0, "timed out", unseen=True, now="it took too long"), "timed out bad", "1m", "it took too long"),
    (ended("a", 9.0, "succeeded", now="3 passed"), "succeeded quiet", "1m", "3 passed"),
    (ended("a", 9.0, "succeeded", now="3 passed", unseen=True), "succeeded good", "1m", "3 passed"),
    (ended("a", 9.0, "stopped"), "stopped quiet", "1m", ""),
    (ended("a", 9.0, "killed", uptime_seconds=2.0), "killed quiet", "2s", ""),
    (ended("a", 9.0, "lost", reason="keeper_lost", lost=True), "lost slow", "9s", "lost with its keeper"),
    (ended("a", 9.0, "failed", exit_code=1, reason="restart_budget_spent", now="exit 1, restarted, gave up: E999"),
     "failed (1) bad", "9s", "restarted, gave up: E999"),
    (mission("a", 9.0, conversation_lost=True), "working quiet", "9s", CONVERSATION_LOST),
    (mission("a", 5.0, "preparing", isolation={"step": "copies files 41 %"}), "preparing slow", "5s",
     "41 %  copies files"),
    (mission("a", 95.0, silent_since=NOW - 90.0, now="line"), "working quiet", "5s", "silent 1m · line"),
]  # fmt: skip


@tabled(("row", "state", "span", "sentence"), ROWS)
def test_the_words_of_a_row(row, state, span, sentence):
    entry = entry_of(row)
    assert " ".join(row_words.state(entry, FACTS)) == state
    assert row_words.lasts(entry, FACTS) == span
    assert row_words.sentence(entry, FACTS).text == sentence


def test_only_one_that_needs_a_person_has_the_colour_of_a_call():
    reviewed = ended("a", 9.0, None, quest_state="review", unseen=True)
    assert row_words.state(entry_of(reviewed), FACTS) == ("review", "quiet")
    later = {**reviewed, "quest_state": "to land"}
    assert row_words.state(entry_of(later), FACTS) == ("to land", "slow")
    for unseen, tone in ((True, "wait"), (False, "quiet")):
        turn = agent("a", 65.0, "idle", 5.0, 0.1, "done", unseen=unseen)
        assert (missions.tone(turn), row_words.state(entry_of(turn), FACTS).tone) == (tone, tone)
    begun = agent("a", 65.0, "idle", 5.0, 0.1, "x", conversation_lost=True)
    assert (missions.tone(begun), row_words.state(entry_of(begun), FACTS).tone) == ("wait", "wait")
    assert missions.tone(asking()) == "wait"


GUESSED = {"type": "session", "activity": "unknown", "activity_source": "screen", "activity_since": at(5.0)}
GUESSES = [("working", "▶ working? quiet"), ("idle", "❯ your turn? quiet"), ("waiting", "! asks? slow"),
           ("limited", "≈ limited? slow")]  # fmt: skip


@tabled(("guess", "shown"), GUESSES)
def test_a_guess_is_shown_as_one_and_calls_nobody(guess, shown):
    entry = entry_of(mission("a", 65.0, activity_guess=guess, **GUESSED))
    facts = Facts(NOW, ZONE, {"a": {"id": "a", "level": "quiet", "silent_seconds": 65.0, AT: NOW - 60.0}})
    for known in (FACTS, facts) if guess != "working" else (FACTS,):
        assert " ".join((row_words.sign(entry, known).mark, *row_words.state(entry, known))) == shown
        assert row_words.lasts(entry, known) == "5s"
    assert row_words.sentence(entry, FACTS).text == ""


SIGNS = [("ok", "▶", "working", "quiet"), ("quiet", "▶", "quiet", "off"), ("stalled", "Z", "stalled", "slow"),
         ("hung", "X", "hung", "bad")]  # fmt: skip


@tabled(("level", "sign", "word", "tone"), SIGNS)
def test_silence_is_a_state(level, sign, word, tone):
    entry = entry_of(mission("a", 999.0, now="x"))
    facts = Facts(NOW, ZONE, {"a": {"id": "a", "level": level, "silent_seconds": 65.0, AT: NOW - 60.0}})
    assert row_words.sign(entry, facts).mark == sign
    assert row_words.state(entry, facts) == (word, tone)
    assert row_words.lasts(entry, facts) == ("16m" if level == "ok" else "2m")


def test_the_answer_of_a_moment_ago_is_said():
    entry = entry_of(agent("a", 65.0, "working", 5.0, 0.1, "⚙ Bash: make"))
    assert row_words.state(entry, FACTS._replace(said={"a": "allowed"})) == ("allowed", "quiet")
    always = FACTS._replace(said={"a": "always allowed"})
    assert row_words.state(entry, always).text == "working"
    assert row_words.sentence(entry, always).text == "always allowed · ⚙ Bash: make"


def test_a_question_about_no_mission_that_is_over_says_so_quietly():
    gate = {
        **question(1, "s", 5.0, "x"),
        "need": "phase",
        "part": "tasks",
        "about": {"kind": "spec", "id": "s", "name": "login"},
    }
    (entry,) = grouped([], [gate], NOW, Wish()).entries
    assert row_words.tone(entry, FACTS) == "wait"
    entry = entry._replace(need=None)
    assert row_words.state(entry, FACTS) == ("closed", "quiet")
    assert row_words.sentence(entry, FACTS) == ("asks no longer", "quiet")
    assert row_words.is_dimmed(entry)
    answered = FACTS._replace(said={"s": "go on"})
    assert row_words.state(entry, answered) == ("go on", "quiet")
    assert row_words.sentence(entry, answered).text == ""
    at_length = FACTS._replace(said={"s": "run this phase again"})
    assert row_words.state(entry, at_length) == ("answered", "quiet")
    assert row_words.sentence(entry, at_length).text == "run this phase again"


def test_a_sentence_changes_at_its_pace():
    entry = entry_of(mission("a", 9.0, now="new"))
    assert row_words.sentence(entry, FACTS._replace(paced=lambda one, text: f"{one}: not {text}")).text == "a: not new"


PROGRESS = [
    (Progress({"succeeded": 4}, 7, ["a", "b"]), "", "4 of 7 done; a and b run"),
    (Progress({"succeeded": 4}, None, ["a"]), "", "4 done; a runs"),
    (Progress({"succeeded": 4}, 7, ["a"]), "", "4 of 7 done; a runs"),
    (Progress({"succeeded": 1, "failed": 2}, 7, []), "", "1 of 7 done, 2 failed"),
    (Progress({}, 7, ["a", "b", "c"]), "", "0 of 7 done; a, b and c run"),
    (Progress({}, 7, ["a", "b", "c", "d"]), "", "0 of 7 done; a, b and 2 more run"),
    (Progress({"succeeded": 1}, 2, ["a"]), "⚙ Read", "1 of 2 done; ⚙ Read"),
]


@tabled(("progress", "own", "text"), PROGRESS)
def test_the_progress_of_a_family_in_words(progress, own, text):
    assert row_words.progressed(progress, own) == text


BARS = [
    ("[3/4] compile █████░░░░ 41 %  csv.py", "[3/4] compile 41 %  csv.py"),
    ("███░░░  41 %  csv.py", "41 %  csv.py"),
    ("41%|████▏     | 41/100", "41% 41/100"),
    ("[=====>     ] 12 of 30", "12 of 30"),
    ("Receiving [#####     ]  8%", "Receiving 8%"),
    ("━━━━━━━━╸━━━━ 12.4/30 MB", "12.4/30 MB"),
    ("tests/test_cart.py ....F...... 212 passed", "tests/test_cart.py ....F...... 212 passed"),
    ("a[1:2]  | b | c -> d", "a[1:2]  | b | c -> d"),
    ("█ ▌", "█ ▌"),
    ("[ 41%] Building", "[ 41%] Building"),
    ("INFO  GET /cart            200   14 ms", "INFO  GET /cart  200  14 ms"),
    ("", ""),
]


@tabled(("line", "text"), BARS)
def test_bars_are_left_out_and_numbers_stay(line, text):
    assert row_words.without_bars(line) == text


@given(st.text(alphabet="ab1 █░━[]=#>|-.%", max_size=40))
def test_no_number_is_lost_with_a_bar(line):
    assert [one for one in row_words.without_bars(line) if one in "ab1%"] == [one for one in line if one in "ab1%"]


@pytest.mark.parametrize("word", sorted({mark.word for mark in (*MARKS, *PLANNED, *OF_WORK, *SILENT)}))
def test_every_state_fits_into_its_column(word):
    assert len(word) <= row_words.STATE_CELLS
