"""Typed text is never run as commands: after a refusal, in a question that has just opened, while a view is to come."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from textual import events
from textual.screen import Screen

from overmind_core.errors import OvermindError
from overmind_core.view import describe
from overmind_core.view.actions import Context
from overmind_core.view.cells import Cell
from overmind_core.view.keymap import keymap
from overmind_core.view.prompt import UNHEARD, unheard
from overmind_tui.command_line.jobs import Outcome
from overmind_tui.missions.describe_page import DescribePage
from overmind_tui.pages.dialog import Answer, Dialog
from overmind_tui.pages.line import LineComposer
from overmind_tui.pages.text import TextPage
from overmind_tui.render.layout import Panel
from overmind_tui.shell.key_queue import QUIET_SECONDS, STILL_TYPING, KeyQueue, QuietPeriod, character
from overmind_tui.shell.notices import MOST_OUTPUTS, Output
from tests.kit.cases import tabled
from tests.tui.conftest import picture, until
from tests.tui.test_pictures import AGENTS, INFO
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
    opens |= {"fork", "new-note", "edit-note", "scale-fleet", "raise-pool", "set-secret", "grant-secret"}
    for context in Context:
        for action in keymap(context).values():
            assert action.takes_text is (action.name in opens), (context, action.name)


def test_a_view_that_may_not_open_any_more_gives_the_keys_back():
    got: list[str] = []
    queue = KeyQueue(lambda key, _: got.append(key), got.append, lambda: 0.0)
    expected = queue.expect(lambda: False)
    queue.put(at(END, events.Key("j", "j")))
    assert not expected.came()
    assert got == ["j"]
    assert not queue.is_waiting


def test_a_view_that_need_not_open_leaves_the_keys_to_what_is_there():
    got: list[str] = []
    queue = KeyQueue(lambda key, _: got.append(key), got.append, lambda: 0.0)
    expected = queue.expect()
    queue.put(at(0.0, events.Key("j", "j")))
    expected.unneeded()
    assert got == ["j"], "what was typed meanwhile is no text for a view that did not come"


# what opens by itself: not over a text, a question or a terminal


PRINTED = Outcome("rel/api  started\nrel/web  started\n", 0)


class Working(Asked):
    """Keeps who hears what became of a command line."""

    def __init__(self, rows=AGENTS, **how):
        super().__init__(rows, **how)
        self.ended: list[Callable[[Outcome], None]] = []

    def _start_job(self, name, calls, on_result):
        super()._start_job(name, calls, on_result)
        self.ended.append(on_result)


@tabled(
    ("opens", "closes"),
    [("m", "escape"), ("n", "escape"), ("x", "n"), ("slash", "escape")],
    ids=["a message", "a task", "a question", "a filter"],
)
def test_what_a_command_line_has_printed_waits_until_nobody_writes_or_is_asked(opens, closes):
    async def scenario(app, pilot):
        app.main.table.select("00000001")
        app.commands.run("apply release.toml --wait")
        await pilot.press(opens)
        await until(pilot, lambda: app.screen is not app.main or app.main.bar.sign, what="a place for text")
        await until(pilot, lambda: not app.typed.is_waiting, what="it takes keys")
        before = app.screen
        app.ended[0](PRINTED)
        await pilot.pause()
        assert app.screen is before
        await pilot.press(closes)
        await until(pilot, lambda: app.screen is app.main and not app.main.bar.sign, what="closed")
        app.notice.look()
        assert "ctrl-o" not in app.notice.text, "what was said last is read first"
        app.notice.clear()
        app.notice.look()
        assert app.notice.text == "apply: done · ctrl-o shows its 2 lines"
        await pilot.press("ctrl+o")
        await until(pilot, lambda: isinstance(app.screen, TextPage), what="the output")
        assert "rel/web  started" in picture(app)
        await pilot.press("escape", "ctrl+o")
        await until(pilot, lambda: "ctrl-o shows" in picture(app), what="what was said last, as ever")

    run(Working, scenario)


def said_next(app):
    """Read what was said; return what is said next."""
    app.notice.clear()
    app.notice.look()
    return app.notice.text


def output_of(name, *lines):
    return Output(name, [[Cell(line)] for line in lines], f"{name}: done", "good")


def test_the_output_that_the_line_has_named_is_the_one_that_opens():
    async def scenario(app, pilot):
        app.notice.keep(output_of("apply", "rel/api  started", "rel/web  started"))
        app.notice.keep(output_of("prune", "Removed a", "Removed b", "Removed c"))
        for sentence, line in (("apply: done · ctrl-o shows its 2 lines", "rel/web  started"),
                               ("prune: done · ctrl-o shows its 3 lines", "Removed b")):  # fmt: skip
            assert said_next(app) == sentence
            await pilot.press("ctrl+o")
            await until(pilot, lambda: isinstance(app.screen, TextPage), what="the output")
            assert line in picture(app)
            await pilot.press("escape")
            await until(pilot, lambda: app.screen is app.main, what="closed")
        assert said_next(app) == ""

    run(Working, scenario)


def test_an_output_that_nobody_opened_stands_before_nothing_that_is_said_later():
    async def scenario(app, pilot):
        app.notice.keep(output_of("apply", "rel/api  started", "rel/web  started"))
        said_next(app)
        app.flash("copied", "quiet")
        app.flash("api: git has failed", "bad")
        app.notice.keep(output_of("prune", "Removed a", "Removed b"))
        await pilot.press("ctrl+o")
        await until(pilot, lambda: isinstance(app.screen, TextPage), what="what was said last")
        assert "api: git has failed" in picture(app)
        assert "rel/web" not in picture(app)
        await pilot.press("escape", ":", *"events /apply", "enter")
        await until(pilot, lambda: app.screen is not app.main and "ctrl-o shows its 2" in picture(app), what="events")
        assert "rel/web" not in picture(app), "the list has the sentence alone"
        await pilot.press("enter")
        await until(pilot, lambda: "rel/web  started" in picture(app), what="the output")

    run(Working, scenario)


def test_a_quiet_sentence_takes_no_output_away_and_few_wait():
    async def scenario(app, pilot):
        for number in range(MOST_OUTPUTS + 1):
            app.notice.keep(output_of(f"job{number}", "one", "two"))
        assert said_next(app) == "job1: done · ctrl-o shows its 2 lines", "the oldest went"
        app.flash("copied", "quiet")
        assert app.notice.taken().name == "job1"
        assert app.notice.taken() is None
        await pilot.pause()

    run(Working, scenario)


def test_what_a_command_line_has_printed_opens_over_no_terminal_that_is_typed_into():
    async def scenario(app, pilot):
        app.commands.run("apply release.toml --wait")
        app.main.panels.current, app.main.terminal_panel.session.typing = Panel.TERMINAL, True
        app.ended[0](PRINTED)
        assert app.screen is app.main
        app.main.panels.current, app.main.terminal_panel.session.typing = Panel.TABLE, False
        app.notice.clear()
        app.notice.look()
        assert "ctrl-o shows its 2 lines" in app.notice.text
        await pilot.pause()

    run(Working, scenario)


def test_what_a_command_line_has_printed_opens_where_nobody_writes():
    async def scenario(app, pilot):
        app.commands.run("apply release.toml --wait")
        app.ended[0](PRINTED)
        await until(pilot, lambda: isinstance(app.screen, TextPage), what="the output")
        assert app.notice.text == "apply: done"

    run(Working, scenario)


def test_the_question_before_a_typed_command_opens_over_no_text():
    class Slow(Working):
        def request(self, command, requests, on_result):
            if command == "prune":
                self.heard = on_result
            else:
                super().request(command, requests, on_result)

    async def scenario(app, pilot):
        app.main.table.select("00000001")
        app.commands.run("prune")
        app.typed.release()  # keys wait for it no longer
        await pilot.press("m")
        await until(pilot, lambda: isinstance(app.screen, LineComposer), what="the line")
        app.heard([OvermindError("busy", "It is busy.")])
        await pilot.pause()
        assert isinstance(app.screen, LineComposer)
        assert app.notice.text == "prune: not done, its question came late · type it again"

    run(Slow, scenario)


def test_a_text_that_is_covered_is_kept_when_all_that_is_open_is_closed():
    async def scenario(app, pilot):
        app.main.table.select("00000001")
        await pilot.press("m")
        await until(pilot, lambda: isinstance(app.screen, LineComposer), what="the line")
        await pilot.press(*"go on")
        app.open(TextPage("said", "", list))
        await until(pilot, lambda: isinstance(app.screen, TextPage) and app.screen.is_mounted, what="a page over it")
        await pilot.press("exclamation_mark")
        await until(pilot, lambda: app.screen is app.main, what="who needs me")
        assert app.action_groups.messages.drafts.draft(["00000001"]) == "go on"

    run(Working, scenario)


@pytest.mark.parametrize("arrives", [True, False])
def test_a_text_that_is_covered_knows_what_became_of_it(arrives):
    async def scenario(app, pilot):
        app.main.table.select("00000001")
        await pilot.press("m")
        await until(pilot, lambda: isinstance(app.screen, LineComposer), what="the line")
        line = app.screen
        await pilot.press("x", "enter")
        assert line.waits
        app.open(TextPage("said", "", list))
        await until(pilot, lambda: isinstance(app.screen, TextPage) and app.screen.is_mounted, what="a page over it")
        if arrives:
            line.done()
        else:
            line.refused("It is paused.")
        assert isinstance(app.screen, TextPage)
        await pilot.press("escape")
        if arrives:
            await until(pilot, lambda: app.screen is app.main, what="closed, as it was sent")
            assert app.action_groups.messages.drafts.draft(["00000001"]) == ""
        else:
            await until(pilot, lambda: app.screen is line, what="the line")
            assert (line.waits, line.refusal) == (False, "It is paused.")

    run(Working, scenario)


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


@pytest.mark.parametrize("key", ["m", "n"])
def test_an_input_that_is_opened_together_with_esc_opens_and_what_follows_is_its_text(key):
    async def scenario(app, pilot):
        app.main.table.select("00000001")
        await pilot.press("l", f"alt+{key}")
        await until(pilot, lambda: app.screen is not app.main, what="a place for text")
        await until(pilot, lambda: not app.typed.is_waiting, what="it takes keys")
        assert app.main.panels.current is Panel.TABLE, "esc counts, too"
        await pilot.press("r", "x")
        assert not {"restart", "stop"} & set(app.asked)
        assert "rx" in picture(app)

    run(Working, scenario)


def test_text_after_an_input_that_esc_came_with_and_that_did_not_open_is_no_commands():
    async def scenario(app, pilot):
        app.main.table.select(next(row["id"] for row in app.fleet.rows.values() if row["type"] != "session"))
        await pilot.press("alt+m", *"rx")
        assert (app.screen, app.notice.text.endswith(UNHEARD)) == (app.main, True)
        assert not {"restart", "stop"} & set(app.asked)

    run(Working, scenario)
