"""What keys and lines do to what a swarm holds; what the swarm says stands, and requests are written down."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from overmind_core.errors import OvermindError
from overmind_core.system.paths import Home
from overmind_core.view.actions import Context
from overmind_core.view.registry import VIEWS
from overmind_tui.shell.messages import SwarmStands
from overmind_tui.swarm import stream as stream_module
from overmind_tui.swarm.stream import SwarmStream
from tests.kit.cases import tabled
from tests.tui.conftest import later, picture, question_read
from tests.tui.test_pictures import Still, settle
from tests.tui.test_pictures_swarm import ASKS, FLEETS, POSTS, SILENT, STATE, Gates, OfSwarm, keys


class Written(OfSwarm):
    """As in the pictures; what changes something is written down."""

    def __init__(self, *words: Any, **how: Any) -> None:
        super().__init__(*words, **how)
        self.asked: list[tuple[str, Any]] = []
        self.refused = ""

    def request(self, command, requests, on_result):
        """Do nothing, and say that it was done."""
        if command in {"swarm_cancel", "swarm_retry", "swarm_fleet_delete", "vault_remove", "pool_down", "swarm_drain",
                       "swarm_answer", "answer", "queue_set"}:  # fmt: skip
            self.asked.append((command, list(requests)))
            if self.refused:
                on_result([OvermindError(self.refused) for _ in requests])
                return
            on_result([{"name": "checkout", "state": "cancelling", "draining": not one.get("undo"), "held": 3,
                        "paused": one.get("paused"), "running": 2, "instances": [{}, {}]}
                       for one in requests])  # fmt: skip
        else:
            super().request(command, requests, on_result)


def play(scenario, app=None, size=(80, 24)):
    """Run the scenario with a program of a home in a swarm."""

    async def whole():
        program = Written() if app is None else app
        async with program.run_test(size=size) as pilot:
            await settle(pilot)
            later(program)
            await scenario(program, pilot)

    asyncio.run(whole())


async def press(pilot, *wanted):
    await pilot.press(*wanted)
    await settle(pilot)


def said(app):
    """The line, where all is said."""
    line = app.screen.line
    return " ".join(line.render_line(y).text.strip() for y in range(line.size.height))


def test_a_post_is_cancelled_after_a_question_that_keeps_it(weighty_answers):
    del weighty_answers

    async def scenario(app, pilot):
        await press(pilot, *keys("swarm /name:checkout"), "x")
        assert "cancel post swarm/checkout?" in picture(app)
        await press(pilot, "y")
        assert "read it, then press y" in picture(app), "the question had just opened"
        assert app.asked == []
        await press(pilot, "enter")
        assert app.asked == [], "the focus is on keeping it"

    play(scenario)


def test_what_was_cancelled_says_that_its_hive_ends_it():
    async def scenario(app, pilot):
        await press(pilot, *keys("swarm /name:checkout"), "x", "y")
        assert app.asked == [("swarm_cancel", [{"id": "00000005"}])]
        assert "cancelled swarm/checkout · its hive ends it" in said(app)

    play(scenario)


def test_only_what_has_failed_or_was_cancelled_is_queued_again():
    async def scenario(app, pilot):
        await press(pilot, *keys("swarm all"), "asterisk", "r")
        assert app.asked == [("swarm_retry", [{"id": "00000003"}, {"id": "00000002"}])]
        await press(pilot, "ctrl+backslash", "slash", *"name:checkout", "enter", "r")
        assert "swarm/checkout is claimed: r retries what has failed or was cancelled" in said(app)
        assert len(app.asked) == 1

    play(scenario)


def test_a_refusal_is_said():
    async def scenario(app, pilot):
        app.refused = "forbidden"
        await press(pilot, *keys("swarm /name:checkout"), "x", "y")
        assert OvermindError("forbidden").message[:20] in said(app)

    play(scenario)


KEYS = [("swarm", "x"), ("swarm", "w"), ("swarm", "r"), ("swarm", "l"), ("queue swarm", "x"), ("board swarm", "w"),
        ("fleets", "ctrl+d"), ("vault", "ctrl+d"), ("fleets", "enter")]  # fmt: skip


@pytest.mark.parametrize(("view", "key"), KEYS)
def test_keys_on_what_a_silent_swarm_holds_flash_that_it_is_silent(view, key):
    async def scenario(app, pilot):
        await press(pilot, *keys(view))
        app.swarm.take(SwarmStands(SILENT, None, None))
        await press(pilot, key)
        assert "swarm_silent: the swarm has been silent for 12s" in said(app)
        assert app.asked == []

    play(scenario)


def test_a_swarm_that_does_not_answer_in_time_counts_as_silent():
    async def scenario(app, pilot):
        app.swarm._stream._asked_at = -1e9
        app.swarm.look()
        await settle(pilot)
        assert "swarm silent" in picture(app)
        app.swarm.take(SwarmStands(STATE, ASKS, FLEETS))
        await settle(pilot)
        assert "swarm 4 claimed, 2 queued" in picture(app)

    play(scenario)


class Waits:
    """What the stream sleeps on: it notes for how long, and ends the stream."""

    def __init__(self, stream):
        self.stream = stream
        self.seconds: list[float] = []

    def wait(self, seconds):
        self.seconds.append(seconds)
        self.stream._closed.set()

    def clear(self):
        """Nothing has woken it."""


@pytest.mark.parametrize(("answer", "took", "pause"), [
    pytest.param(SILENT, 25.0, 2.0, id="nobody answered: that was no work for the database"),
    pytest.param(None, 25.0, 2.0, id="no daemon"),
    pytest.param(STATE, 0.01, 2.0, id="an answer at once"),
    pytest.param(STATE, 1.0, 10.0, id="much to ask for"),
    pytest.param(STATE, 600.0, 30.0, id="it stood still meanwhile"),
])  # fmt: skip
def test_the_next_look_at_the_swarm_is_later_only_for_what_it_had_to_work(tmp_path, monkeypatch, answer, took, pause):
    now = [0.0]
    stream = SwarmStream(Home(tmp_path), lambda _message: None)

    def asked(command):
        now[0] += took if command == "swarm_status" else 0.0
        return answer if command == "swarm_status" else []

    monkeypatch.setattr(stream_module, "time", SimpleNamespace(monotonic=lambda: now[0]))
    waits = Waits(stream)
    monkeypatch.setattr(stream, "_asked", asked)
    monkeypatch.setattr(stream, "_wake", waits)
    stream._run()
    assert waits.seconds == [pause]


def test_a_page_that_is_opened_while_the_swarm_is_silent_says_so():
    class Unanswered(Written):
        def request(self, command, requests, on_result):
            if command != "swarm_posts":
                super().request(command, requests, on_result)

    async def scenario(app, pilot):
        await press(pilot, *keys("swarm"))
        assert "loading …" in picture(app)
        app.swarm.take(SwarmStands(SILENT, None, None))
        await settle(pilot)
        assert "The swarm is silent." in picture(app)
        await press(pilot, "escape", *keys("swarm"))
        assert "The swarm is silent." in picture(app)
        app.swarm.take(SwarmStands(STATE, ASKS, FLEETS))
        await settle(pilot)
        assert "loading …" in picture(app)

    play(scenario, Unanswered())


def test_a_question_of_the_swarm_is_answered_through_it():
    async def scenario(app, pilot):
        await press(pilot, "exclamation_mark", "j")
        assert "── swarm/[red]site[/] ──" in picture(app)
        assert "May it run this?" in picture(app)
        await question_read(app, pilot)
        await press(pilot, "y")
        assert app.asked == [("swarm_answer", [{"question": 7, "behaviour": "allow", "options": []}])]

    play(scenario)


def test_a_question_of_a_hive_with_a_gate_is_shown_once_and_answered_there():
    async def scenario(app, pilot):
        await press(pilot, "exclamation_mark")
        assert picture(app).count("rm -rf build") == 1, "in the list"
        await press(pilot, "j")
        assert "eu/site" in picture(app)
        await question_read(app, pilot)
        await press(pilot, "y")
        assert app.asked == [("answer", [{"question": "eu/3", "behaviour": "allow", "options": []}])]

    play(scenario, Written(Gates()))


def test_a_key_on_a_post_opens_what_it_asks():
    async def scenario(app, pilot):
        await press(pilot, *keys("swarm /site"), "y")
        assert "needs you" in picture(app)
        assert "rm -rf build" in picture(app)

    play(scenario)


def test_the_log_of_a_post_is_that_of_its_hive_where_that_can_be_asked():
    async def scenario(app, pilot):
        await press(pilot, *keys("swarm /site"), "l")
        assert "eu1 has no gate: the swarm has the end of its log once it has ended" in said(app)
        await press(pilot, *keys("swarm all /lint"), "l")
        assert "src/api.py:7: E501" in picture(app)

    play(scenario)


def test_a_fleet_is_scaled_by_a_line_that_a_key_begins():
    async def scenario(app, pilot):
        ran = []
        app.jobs.start = lambda name, calls, _then: ran.append((name, [list(one)[-2:] for one in calls]))
        await press(pilot, *keys("fleets"), "j", "e", "7", "enter")
        assert ran == [("fleet scale", [["review", "7"]])]
        await press(pilot, "k", "e")
        assert "disk is a sentinel: it has one place on every fitting hive" in said(app)
        later(app)  # what is typed next was meant for the line
        await press(pilot, *keys("fleets"), "j", "enter")
        assert [row["name"] for row in app.screen.chosen()] == ["swarm/review-2"]

    play(scenario)


def test_fleets_and_secrets_are_removed_after_a_question():
    async def scenario(app, pilot):
        await press(pilot, *keys("fleets"), "asterisk", "ctrl+d")
        assert "delete 2 fleets?" in picture(app)
        await press(pilot, "y")
        await press(pilot, *keys("vault"), "ctrl+d", "y")
        assert app.asked == [
            ("swarm_fleet_delete", [{"name": "disk"}, {"name": "review"}]), ("vault_remove", [{"name": "DEPLOY_KEY"}]),
        ]  # fmt: skip

    play(scenario)


def test_the_instances_of_a_pool_are_drained_after_a_question_and_more_are_started_by_a_line():
    async def scenario(app, pilot):
        await press(pilot, *keys("pools"), "j", "ctrl+d")
        assert "hpc  2 joined, 1 starting" in picture(app)
        await press(pilot, "y")
        assert app.asked == [("pool_down", [{"name": "hpc", "all": True}])]
        assert "draining 2 instances of hpc" in said(app)
        ran = []
        app.jobs.start = lambda name, calls, _then: ran.append((name, [list(one)[-2:] for one in calls]))
        await press(pilot, "n", "2", "enter")
        assert ran == [("pool up", [["hpc", "2"]])]

    play(scenario)


def test_a_secret_can_be_granted_only_where_its_value_is_kept():
    async def scenario(app, pilot):
        await press(pilot, *keys("vault"), "j", "e")
        assert "NPM_TOKEN is not kept in this home: grace can grant it" in said(app)
        later(app)  # as above
        await press(pilot, "k", "e")
        assert ":vault grant DEPLOY_KEY" in picture(app)

    play(scenario)


def test_hives_are_drained_by_their_gates_else_through_the_swarm():
    async def scenario(app, pilot):
        await press(pilot, *keys("hives"), "G", "D")
        assert app.asked == [("swarm_drain", [{"name": "lab", "undo": True}])], "it drains already"
        await press(pilot, "g", "D")
        assert app.asked[1:] == [], "it asks first"
        await press(pilot, "y")
        assert app.asked[1:] == [("queue_set", [{"paused": True}])]
        await press(pilot, "j", "enter")
        assert app.screen.context is Context.POSTS
        assert {row["hive"] for row in app.screen.chosen()} == {"eu1"}

    play(scenario)


def test_of_marked_hives_those_are_drained_that_were_asked_about_and_none_takes_work_again():
    async def scenario(app, pilot):
        await press(pilot, *keys("hives"), "g", "space", "G", "space", "D")
        assert "drain hive local?" in picture(app)
        assert "lab is drained already, and stays so" in picture(app)
        await press(pilot, "y")
        assert app.asked == [("queue_set", [{"paused": True}])]

    play(scenario)


GHOSTS = [("fleet scale re", "view"), ("fl", "eets"), ("why check", "out"), ("vault grant DEPLOY_KEY gp", "u1"),
          ("hive drain gp", "u1"), ("board sw", "arm"), ("queue sw", "arm"), ("swarm a", "ll"),
          ("vault rm NPM", "_TOKEN")]  # fmt: skip


def test_lines_are_completed_by_the_names_that_were_seen():
    async def scenario(app, pilot):
        for view in ("swarm", "vault"):
            await press(pilot, *keys(view))
        assert [app.commands.ghost(text) for text, _ in GHOSTS] == [rest for _, rest in GHOSTS]

    play(scenario)


@pytest.mark.parametrize("view", ["swarm", "fleets", "pools", "vault"])
def test_each_word_of_a_view_opens_it(view):
    async def scenario(app, pilot):
        for word in (view, *VIEWS[view].aliases):
            app.commands.run(word)
            await settle(pilot)
            assert app.screen.context is VIEWS[view].context
            await press(pilot, "escape")
            assert app.screen is app.main

    play(scenario)


@tabled(
    "view",
    [
        "swarm /hive:eu1",
        "fleets /hive:gpu2",
        "vault /hive:gpu1",
        "pools /hive:hpc-1",
        "hives /hive:lab",
        "board swarm /hive:eu1",
    ],
)
def test_each_table_is_filtered_by_hives(view):
    async def scenario(app, pilot):
        await press(pilot, *keys(view))
        shown = [branch.row for branch in app.screen.table.branches]
        assert 0 < len(shown) < len(app.screen.rows)

    play(scenario, size=(120, 40))


def test_a_home_that_leaves_its_swarm_shows_as_before():
    async def scenario(app, pilot):
        assert "HOST" in picture(app)
        app.swarm.leave()
        app.swarm = None
        app.main.forget_columns()
        app.main.rearrange()
        await settle(pilot)
        assert "HOST" not in picture(app)
        assert "swarm" not in picture(app)

    play(scenario)


def test_without_a_swarm_nothing_about_one_is_imported():
    lines = [
        "import asyncio, sys",
        "from tests.tui.test_pictures import Still",
        "async def main():",
        "    async with Still().run_test() as pilot:",
        "        await pilot.pause(1.2)",
        "asyncio.run(main())",
        "ours = ('overmind_tui.swarm', 'overmind_tui.hives', 'psycopg')",
        "print([one for one in sys.modules if one.startswith(ours)])",
    ]
    done = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_without_a_swarm_the_screen_is_as_before():
    async def scenario(app, pilot):
        assert "HOST" not in picture(app)
        await press(pilot, *keys("swarm"))
        assert "This home is in no swarm." in picture(app)

    play(scenario, Still())


def test_what_hostile_hives_say_is_shown_as_it_is():
    names = [one["name"] for one in POSTS]
    assert "[red]site[/]" in names
    evil = {**ASKS[0], "summary": "\x1b]0;evil\x07[/]", "subject": {"questions": [{}]}, "need": "\x1b[2J"}
    questions: Any = [evil, {"id": 1}, 7, {**ASKS[1], "about": None}]

    async def scenario(app, pilot):
        app.swarm.take(SwarmStands(STATE, questions, [*FLEETS]))
        await press(pilot, "exclamation_mark")
        assert "\x1b" not in picture(app)
        assert "swarm/train" in picture(app)

    play(scenario)
