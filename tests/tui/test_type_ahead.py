"""Typed text is never run as commands: after a refusal, in a question that has just opened, while a view is to come."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from textual import events
from textual.screen import Screen

from overmind_core.view import describe
from overmind_core.view.actions import Context
from overmind_core.view.keymap import keymap
from overmind_core.view.prompt import UNHEARD, unheard
from overmind_tui.missions.describe_page import DescribePage
from overmind_tui.pages.dialog import Answer, Dialog
from overmind_tui.shell.key_queue import QUIET_SECONDS, STILL_TYPING, KeyQueue, QuietPeriod, character
from tests.kit.cases import tabled
from tests.tui.conftest import until
from tests.tui.test_pictures import INFO
from tests.tui.test_traps import Asked, run

END = QUIET_SECONDS


def at(now, event):
    """The event, as if it had been typed then."""
    event.time = now
    return event


@tabled(
    ("presses", "taken"),
    [
        ([(0.1, "x", "x"), (0.2, "y", "y")], []),
        ([(0.1, "enter", None), (0.2, "ctrl+c", None), (0.3, "space", " ")], []),
        ([(0.1, "escape", None), (0.2, "down", None)], ["escape", "down"]),
        ([(END, "x", "x")], ["x"]),
        ([(END - 0.1, "x", "x"), (END + 0.1, "y", "y")], []),
        ([(END - 0.1, "x", "x"), (END - 0.1 + STILL_TYPING, "y", "y")], ["y"]),
        ([(0.1, "x", "x"), (0.9, "y", "y"), (1.7, "z", "z"), (2.5, "x", "x"), (3.3, "y", "y")], []),
    ],
    ids=["text", "with its ends", "no text", "later", "still typing", "after a pause", "slowly"],
)
def test_text_after_a_refusal_does_nothing_while_it_is_typed(presses, taken):
    quiet = QuietPeriod()
    quiet.begin(0.0)
    assert [key for now, key, typed in presses if not quiet.swallows(key, typed, now)] == taken


def test_who_gives_up_waiting_lets_no_key_go_to_a_screen_that_is_opening_since():
    got: list[str] = []
    queue = KeyQueue(lambda key, _: got.append(key), got.append)
    sent = queue.hold()
    queue.release()
    opening = queue.hold()
    queue.put(events.Key("x", "x"))
    queue.give_up(sent)
    assert got == []
    queue.give_up(opening)
    assert got == ["x"]


def test_a_paste_after_a_refusal_is_nothing():
    got: list[str] = []
    now = 0.0
    queue = KeyQueue(lambda key, _: got.append(key), got.append, lambda: now)
    queue.hush()
    queue.put(at(now, events.Paste("xy")))
    now = END
    queue.put(at(now, events.Paste("zz")))
    assert got == ["zz"]


def test_it_is_said_once_each_time_that_what_is_typed_does_nothing():
    announced: list[str] = []
    now = 0.0
    queue = KeyQueue(lambda *_: None, lambda _: None, lambda: now, lambda: announced.append("nothing"))
    queue.hush()
    assert announced == [], "who types nothing need not know"
    for number in range(3):
        queue.put(at(number / 10, events.Key("x", "x")))
    queue.put(at(0.4, events.Paste("yy")))
    assert announced == ["nothing"]
    now = 5.0
    queue.hush()
    queue.put(at(now, events.Paste("yy")))
    assert announced == ["nothing", "nothing"]


def test_the_reason_stays_before_what_is_said_of_text_that_does_nothing():
    assert unheard("lint is a task and takes no messages") == f"lint is a task and takes no messages · {UNHEARD}"
    assert unheard("") == UNHEARD


def test_text_that_was_typed_in_time_does_nothing_however_late_the_program_gets_to_it():
    got: list[str] = []
    now = 0.0
    queue = KeyQueue(lambda key, _: got.append(key), got.append, lambda: now)
    queue.hush()
    now = END + 5.0
    for number in range(3):
        queue.put(at(END / 2 + number * STILL_TYPING / 2, events.Key("x", "x")))
    queue.put(at(END / 2, events.Paste("yy")))
    assert got == []
    queue.put(at(now, events.Key("z", "z")))
    assert got == ["z"]


@pytest.mark.parametrize("order", ["it comes", "it fails", "it comes late"])
def test_keys_wait_for_a_view_that_comes_later(order):
    got: list[str] = []
    now = 0.0
    queue = KeyQueue(lambda key, _: got.append(key), got.append, lambda: now)
    expected = queue.expect()
    queue.put(at(now, events.Key("q", "q")))
    assert got == []
    if order == "it comes":
        expected.came()
        queue.hold()  # as the screen opens
        expected.failed()  # its time is over, which means nothing now
        queue.release()
        assert got == ["q"]
        return
    expected.failed()
    assert got == [], "what was typed for it is no command for what is there instead"
    now = END
    queue.put(at(now, events.Key("j", "j")))
    assert got == ["j"]
    if order == "it comes late":
        expected.came()
        queue.put(at(now, events.Key("x", "x")))
        assert got == ["j"], "it opens by itself: what is typed just then was not meant for it"


@pytest.mark.parametrize("tone", ["bad", "slow"])
@pytest.mark.parametrize(("seconds", "counts"), [(float("-inf"), False), (0.29, False), (0.3, True)])
def test_a_weighty_answer_counts_only_once_its_question_could_be_read(tone, seconds, counts, weighty_answers):
    assert Answer(("y",), "stop", lambda: None, tone).counts(seconds) is counts
    assert Answer(("n",), "cancel", lambda: None).counts(seconds)


@pytest.mark.parametrize("key", ["m", "a"])
def test_text_that_was_typed_after_a_refused_key_stops_nothing(key):
    async def scenario(app, pilot):
        assert app.main.go_to("lint")  # a task that has ended
        for one in f"{key}xylophone":
            app.post_message(events.Key(one, one))
        await pilot.pause()
        assert app.screen is app.main
        assert app.notice.text.endswith(f" · {UNHEARD}")
        assert app.asked == []

    run(Asked, scenario)


def test_an_answer_that_was_typed_ahead_of_its_question_stops_nothing(weighty_answers):
    async def scenario(app, pilot):
        for one in "xy":
            app.post_message(events.Key(one, one))
        await until(pilot, lambda: isinstance(app.screen, Dialog), what="the question")
        await pilot.pause()
        assert app.asked == []
        assert "read it, then press y" in app.notice.text
        await until(pilot, lambda: app.screen.reading_delay.enough, what="read")
        await pilot.press("y")
        assert app.asked == ["stop"]

    run(Asked, scenario)


def test_a_key_behind_the_one_that_opens_a_view_is_for_that_view(monkeypatch):
    """A description needs two answers first; `q` in the meantime closed the program."""
    monkeypatch.setattr(describe, "lines", lambda *_: [])
    waiting: list[Callable[[], None]] = []

    class Slow(Asked):
        def request(self, command, requests, on_result):
            if command in {"info", "definition"}:
                waiting.append(lambda: on_result([INFO if command == "info" else {"definition": None}]))
            else:
                super().request(command, requests, on_result)

    async def scenario(app, pilot):
        await pilot.press("d", "q")
        assert app.is_running
        assert app.screen is app.main
        opened: list[Screen[None]] = []

        def written_down(screen):
            opened.append(screen)
            Asked.open(app, screen)

        app.open = written_down
        while waiting:
            waiting.pop()()
            await pilot.pause()
        await until(pilot, lambda: opened and app.screen is app.main, what="opened, and closed by the key that waited")
        assert isinstance(opened[0], DescribePage)
        assert app.is_running

    run(Slow, scenario)


def test_each_key_that_opens_a_place_for_text_says_so():
    typing = {"attach", "attach-quest", "shell", "shell-there", "type"}
    opens = {"message", "comment", "comment-document", "new", "edit", "edit-document", "reply", "commit"} | typing
    opens |= {"new-note", "edit-note", "scale-fleet", "raise-pool", "set-secret", "grant-secret"}
    for context in Context:
        for action in keymap(context).values():
            assert action.takes_text is (action.name in opens), (context, action.name)


@tabled(
    ("key", "typed", "found"),
    [
        ("a", "a", "a"), ("plus", "+", "+"), ("+", "+", "+"), ("space", " ", " "), ("ctrl+a", "\x01", None),
        ("alt+a", "a", None), ("enter", "\r", None), ("escape", None, None), ("f1", None, None), ("é", "é", "é"),
    ],
)  # fmt: skip
def test_only_what_is_no_shortcut_is_a_character(key, typed, found):
    assert character(events.Key(key, typed)) == found


def test_keys_wait_for_the_first_view():
    app = Asked()
    before = [events.Key(key, key) for key in "jj"]
    for key in before:
        app.typed.put(key)  # before there is a screen
    assert app.typed.is_waiting

    async def scenario(app, pilot):
        del pilot
        assert not app.typed.is_waiting

    run(lambda: app, scenario)
