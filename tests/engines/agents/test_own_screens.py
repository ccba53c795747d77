"""Agents' real programs on their own screens: what is told of them is true, and nothing is typed into them blindly."""

from __future__ import annotations

import os
import sys

import pytest

from tests.kit.overmind import FINAL
from tests.kit.own_screens import Hour
from tests.kit.waiting import eventually

pytestmark = pytest.mark.linux

KNOWN = 0.99
"""The share that is known of what a program tells itself."""
QUOTED = (
    "esc to interrupt\\n• Working (3s • esc to interrupt)\\n1. Yes\\n❯ 1. Yes\\n● 1. Allow once\\n"
    "Waiting for user confirmation...\\n⠙ Thinking... (esc to cancel, 1s)\\n△ Permission required\\n"
    "Cline needs permission\\nPress enter to confirm or esc to cancel\\nEnter to select · Esc to cancel"
)
"""What an answer may say."""


def gone(screen, scene):
    """Leave a dialog, and wait for the prompt."""
    screen.until(scene.shown)
    screen.press_keys("Escape")
    eventually(screen.is_ready, timeout=60, what="its prompt is there again")


@pytest.mark.proves("state")
def test_its_states_are_told_right(screen):
    hour, api, looks = Hour(screen), screen.api, screen.looks
    screen.launch()
    hour.sees("starting", "unknown", "idle", *(["waiting"] if looks.setup else []))
    screen.settle()
    hour.sees("idle", "idle")
    screen.enter("%half 60")
    assert api.half.wait(60), "its model was asked"
    hour.sees("working", "working")
    api.rest.set()
    screen.until("line 60")
    hour.sees("answered", "idle")
    for step, scene in (("permission", looks.permission), ("choice", looks.choice)):
        if scene is not None:
            screen.enter(scene.prompt)
            screen.until(scene.shown)
            hour.sees(step, "waiting")
            gone(screen, scene)
            hour.sees("idle", "idle")
    screen.type("a draft")
    hour.sees("draft", "idle")
    screen.press_keys(*["BSpace"] * len("a draft"))
    eventually(lambda: screen.is_ready() and not screen.shows("a draft"), timeout=60, what="its prompt is empty")
    api.half.clear()
    api.rest.clear()
    screen.enter("%half 60")
    assert api.half.wait(60), "its model was asked"
    hour.sees("working", "working")
    screen.om.ok("interrupt", screen.mission)
    screen.until(looks.interrupted)
    hour.sees("interrupted", "idle")
    screen.press_keys("C-u")  # some put their prompt back
    screen.until(looks.ready)
    screen.enter(f"%say {QUOTED}\\nthis was quoted")
    screen.until("^ *this was quoted")
    hour.sees("quoting", "idle")
    screen.enter("%error 429")
    eventually(lambda: screen.asked("%error 429"), timeout=60, what="its model was asked")
    if looks.gives_up:
        screen.until(looks.gives_up)
    hour.sees("429", *(["idle"] if looks.gives_up else ["working", "limited"]))
    screen.om.ok("kill", screen.mission)
    ended = screen.om.wait_status(screen.mission, *FINAL)
    assert (ended["activity"], ended["activity_guess"]) == (None, None)
    sys.stdout.write("\n".join(["", *hour.report(), ""]))
    assert not hour.wrong, "\n".join("\n".join([*said, *shown]) for *said, shown in hour.wrong)
    if looks.source != "screen":
        known = hour.count("right")
        assert known >= KNOWN * (known + hour.count("unknown"))


THIRTY = "\n".join(f"line {number} of thirty" for number in range(1, 31))


def rests(screen):
    """Wait until it is told that it waits for a message."""
    eventually(lambda: told(screen) == "idle", timeout=60, what="it is idle")


def told(screen):
    (row,) = screen.om.api("ps", ids=[screen.mission])
    return row["activity_guess"] or row["activity"]


def arrives(screen, text):
    """Send a message, and see that its model is asked just that; its last turn may still be about to be told."""

    def sends():
        sent = screen.om("send", screen.mission, "-", stdin=text)
        assert sent.returncode == 0 or "is working" in sent.stderr, sent.stderr
        return sent.stdout

    assert eventually(sends, timeout=60, what="it takes a message") == f"Sent to mission {screen.mission}\n"
    eventually(lambda: is_asked(screen, text), timeout=60, what=f"{text!r} has arrived: {screen.texts()}")
    rests(screen)


def is_asked(screen, text):
    """Whether its model was asked this, and nothing more; a program may frame a text of many lines."""
    lines = [one.replace("\r", "\n") for one in screen.texts()]
    return text in lines or ("\n" in text and any(text in one for one in lines))


def is_refused(screen):
    """See that a message is not typed: the number that it begins with would be an answer."""
    asked = len(screen.texts())

    def refusal():
        refused = screen.om("send", screen.mission, "1 not now")
        assert refused.returncode == 1
        assert refused.stderr.startswith(("Error: busy: ", "Error: draft: ")), refused.stderr
        return refused.stderr

    refusal()
    eventually(lambda: "overmind attach" in refusal(), what="it is told that a question stands there")
    assert (len(screen.texts()), [one["state"] for one in screen.messages(screen.mission)]) == (asked, [])


def test_a_message_of_one_and_of_thirty_lines_arrives_whole(screen):
    screen.begin()
    rests(screen)
    arrives(screen, "hello there")
    arrives(screen, THIRTY)
    parts = [one for one in screen.texts() if "of thirty" in one]
    assert all("line 1 of thirty" in one and "line 30 of thirty" in one for one in parts), "it is one message"


def test_nothing_is_typed_into_a_question_and_a_message_comes_behind_it(screen):
    screen.begin()
    rests(screen)
    for scene in (screen.looks.permission, screen.looks.choice):
        if scene is not None:
            screen.enter(scene.prompt)
            screen.until(scene.shown)
            is_refused(screen)
            assert screen.shows(scene.shown), screen.lines()
            gone(screen, scene)
    assert not os.path.exists(os.path.join(screen.work, "made"))
    rests(screen)
    arrives(screen, "hello behind it")


def test_an_interrupted_message_is_not_sent_again_with_the_next_one(screen):
    screen.begin()
    rests(screen)
    screen.om.ok("send", screen.mission, "%sleep 90 early")
    eventually(lambda: screen.asked("%sleep 90 early"), timeout=60, what="its model was asked")
    eventually(lambda: told(screen) == "working", timeout=60, what="it works")
    screen.om.ok("interrupt", screen.mission)
    rests(screen)
    arrives(screen, "hello behind it")


def test_a_draft_of_a_person_is_left_alone(screen):
    screen.begin()
    rests(screen)
    screen.type("a draft")
    is_refused(screen)
    assert screen.shows("a draft$|a draft[\\s\u200b]")
    screen.press_keys(*["BSpace"] * len("a draft"))
    arrives(screen, "hello behind it")


FIRST = {
    "claude": "Enter to confirm",
    "cline": "any other key to close",
    "copilot": "Do you trust the files",
    "gemini": "Do you trust the files",
}
"""Programs, and a page of each before its first prompt."""


@pytest.mark.parametrize("program", FIRST)
def test_nothing_is_typed_into_a_page_before_the_first_prompt(screen):
    screen.distrust()
    screen.launch()
    screen.until(FIRST[screen.name])
    is_refused(screen)
    assert screen.shows(FIRST[screen.name]), screen.lines()
    assert screen.om.info(screen.mission)["status"] == "running"


@pytest.mark.parametrize("program", ["codex"])
@pytest.mark.parametrize("words", [["--no-daemon"], []], ids=["alone", "by a server of all"])
def test_the_end_of_one_codex_ends_nothing_of_another(screen, words):
    screen.command += words
    first = screen.begin()
    rests(screen)
    arrives(screen, "hello first")
    screen.begin()
    rests(screen)
    arrives(screen, "hello second")
    screen.om("kill", first)
    arrives(screen, "hello again")
    left = screen.om.info(first)["survivors"]
    assert ["(a server that others use: codex, PID " in one for one in left] == [True] * (not words), left
