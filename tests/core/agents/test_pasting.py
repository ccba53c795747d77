"""A message for a full-screen program of which nothing is known: pasted, entered by itself, and seen to be taken."""

from __future__ import annotations

import asyncio

import pytest

from overmind_core.agents.pasting import AtCursor, is_drafted, is_taken
from overmind_core.agents.store import DELIVERED
from overmind_core.domain.agents.agent import ActivityKind, ActivitySource, AgentNeed
from overmind_core.domain.agents.agent_events import Asked, StateGuessed
from overmind_core.errors import OvermindError
from overmind_core.kernel.config import Settings
from overmind_core.system.paths import Home
from tests.kit.cases import tabled
from tests.kit.in_process import played, until

PASTED = b"\x1b[200~hello\x1b[201~"
LINES = [
    ("an empty prompt again", AtCursor("> ", ""), AtCursor("> hello", ""), AtCursor("> ", "> hello"), True),
    ("a program that works", AtCursor("> ", "──"), AtCursor("> hello", "──"), AtCursor("Working", "hello"), True),
    ("a draft as it was", AtCursor("> ", "──"), AtCursor("> hello", "──"), AtCursor("> hello", "──"), False),
    ("a new line below it", AtCursor("> ", "──"), AtCursor("> hello", "──"), AtCursor("", "> hello"), False),
    ("a shell", AtCursor("$ ", "x"), AtCursor("$ true", "x"), AtCursor("$ ", "$ true"), True),
    ("a hidden prompt", AtCursor("Password:", ""), AtCursor("Password:", ""), AtCursor("Password:", ""), True),
]


@tabled(("name", "before", "pasted", "now", "taken"), LINES)
def test_whether_it_was_taken_shows_at_the_cursor(name, before, pasted, now, taken):
    del name
    assert is_taken(before, pasted, now) is taken


@tabled(
    ("name", "before", "pasted", "drafted"),
    [
        ("an empty prompt", AtCursor("> ", ""), AtCursor("> hello", ""), False),
        ("a placeholder", AtCursor("> Type here", "", "Type here"), AtCursor("> hello", ""), False),
        ("a person's text", AtCursor("> a draft", "", "a draft"), AtCursor("> helloa draft", "", "a draft"), True),
    ],
)
def test_a_text_behind_the_cursor_that_stays_is_a_person_s(name, before, pasted, drafted):
    del name
    assert is_drafted(before, pasted) is drafted


class Program:
    """A full-screen program on the keeper's terminal: it draws what it is typed.

    Args:
        keeper: Of the terminal.
        run: Its run.
        takes: Whether it takes Enter.
        mark: Its prompt.
        loses: How often it makes nothing of Enter before that.
        draws: Whether it draws what is pasted.
    """

    def __init__(self, keeper, run, *, takes, mark=b"> ", loses=0, draws=True):
        self._keeper, self._run, self._takes, self._mark = keeper, run, takes, mark
        self._loses, self._draws = loses, draws
        keeper.write(run, b"\x1b[?1049h\x1b[?2004h\x1b[5;1H" + mark)
        keeper.on_ask["write"] = self._typed

    def _typed(self, _fields):
        piece = self._keeper.typed[self._run][-1]
        if piece == PASTED and self._draws:
            self._keeper.write(self._run, b"hello")
        elif piece == b"\r" and self._loses:
            self._loses -= 1
        elif piece == b"\r":
            empty = b"\x1b[3;1Hyou: hello\x1b[5;1H\x1b[K" + self._mark
            self._keeper.write(self._run, empty if self._takes else b"\r\n  ")


@pytest.fixture
def story(tmp_path):
    return lambda play: played(Home(str(tmp_path / "home")), play, Settings())


async def begun(inside, keeper, program="mine", **how):
    mission = await inside.run(program, type="session", name="ada")
    await until(lambda: inside.app.agents.of(mission).state.running and f"{mission}.1" in keeper.held)
    return mission, Program(keeper, f"{mission}.1", **how)


def test_enter_comes_by_itself_behind_the_paste_and_the_message_is_delivered(story):
    async def play(inside, keeper):
        mission, _ = await begun(inside, keeper, takes=True)
        await inside.ask("send", id=mission, text="hello")
        assert keeper.typed[f"{mission}.1"] == [PASTED, b"\r"]
        assert [one["state"] for one in await inside.ask("messages", id=mission)] == [DELIVERED]

    story(play)


def test_what_stays_in_the_prompt_is_told_as_a_draft(story):
    async def play(inside, keeper):
        mission, _ = await begun(inside, keeper, takes=False)
        with pytest.raises(OvermindError) as refused:
            await inside.ask("send", id=mission, text="hello")
        assert refused.value.code == "draft"
        assert refused.value.message.endswith("Send or delete it in: overmind attach ada")

    story(play)


CODEX = {"program": "codex", "mark": "› ".encode()}


def test_a_known_program_that_has_lost_enter_gets_it_once_more(story):
    async def play(inside, keeper):
        mission, _ = await begun(inside, keeper, takes=True, loses=1, **CODEX)
        await inside.ask("send", id=mission, text="hello")
        assert keeper.typed[f"{mission}.1"] == [PASTED, b"\r", b"\r"]

    story(play)


@pytest.mark.parametrize(("how", "entered"), [({"draws": False}, 0), ({"loses": 9}, 2)])
def test_sent_is_not_said_of_what_a_known_program_has_not_taken(story, how, entered):
    async def play(inside, keeper):
        mission, _ = await begun(inside, keeper, takes=True, **how, **CODEX)
        with pytest.raises(OvermindError) as refused:
            await inside.ask("send", id=mission, text="hello")
        assert (refused.value.code, keeper.typed[f"{mission}.1"]) == ("draft", [PASTED, *[b"\r"] * entered])

    story(play)


ASKS = Asked("", AgentNeed.PERMISSION, "", "remove all?", {})


@pytest.mark.parametrize(
    ("fact", "source"),
    [(ASKS, ActivitySource.STATUS), (StateGuessed(ActivityKind.WAITING), ActivitySource.SCREEN)],
)
def test_no_enter_comes_behind_the_paste_once_the_program_asks_something(story, fact, source):
    async def play(inside, keeper):
        mission, program = await begun(inside, keeper, takes=True)
        agent, run = inside.app.agents.of(mission), f"{mission}.1"

        def typed(fields):
            program._typed(fields)
            if keeper.typed[run] == [PASTED]:
                agent.receive(fact, source)

        keeper.on_ask["write"] = typed
        with pytest.raises(OvermindError) as refused:
            await inside.ask("send", id=mission, text="hello")
        assert (refused.value.code, keeper.typed[run]) == ("draft", [PASTED])

    story(play)


def test_two_messages_at_once_are_entered_one_after_the_other(story):
    async def play(inside, keeper):
        mission, _ = await begun(inside, keeper, takes=True)
        await asyncio.gather(*(inside.ask("send", id=mission, text="hello") for _ in range(2)))
        assert keeper.typed[f"{mission}.1"] == [PASTED, b"\r"] * 2

    story(play)


def test_a_program_that_reads_lines_gets_one(story):
    async def play(inside, keeper):
        mission = await inside.run("cat", type="session")
        await until(lambda: inside.app.agents.of(mission).state.running and f"{mission}.1" in keeper.held)
        keeper.write(f"{mission}.1", b"name? ")
        await inside.ask("send", id=mission, text="hello")
        assert keeper.typed[f"{mission}.1"] == [b"hello\r"]

    story(play)
