"""What plain programs on a terminal report of themselves: their state, and the question that a person must answer."""

from __future__ import annotations

import asyncio
import base64
import unicodedata

import pytest

from overmind_core.agents.output_reader import PAUSE
from overmind_core.agents.pasting import Pasting
from overmind_core.errors import OvermindError
from overmind_core.system.paths import Home
from overmind_core.terminal.program_status import MOST_TEXT
from overmind_core.view.cells import safe
from tests.kit import in_process
from tests.kit.in_process import ScriptedKeeper, supervising, until

ASK = "approve Bash: touch made.txt"


def encoded(text):
    return base64.b64encode(text.encode()).decode()


def report(state, **fields):
    body = ":".join([f"state={state}", *(f"{key}={value}" for key, value in fields.items())])
    return f"\x1b]7501;{body}\x07".encode()


IDLE, WORKING, DONE = report("idle", app="pi"), report("working", app="pi"), report("done", app="pi")
BLOCKED = report("blocked", app="pi", kind="permission", msg=encoded(ASK))
RESTS = ("idle", None, "status", None)
WORKS = ("working", None, "status", None)
ASKS = ("waiting", "permission", "status", ASK)
UNKNOWN = ("unknown", None, None, None)
HOSTILE = report("blocked", kind="question", msg=encoded("\x1b[2J\u202eevil\nsecond line\x07"))
REPORTS = {
    "it waits for a first word": (IDLE, RESTS),
    "it works": (IDLE + WORKING, WORKS),
    "it has done what it was asked for": (WORKING + DONE, RESTS),
    "it asks for a permission": (WORKING + BLOCKED, ASKS),
    "it asks for one, and says no more": (
        report("blocked", kind="permission"),
        ("waiting", "permission", "status", "It asks for a permission"),
    ),
    "it asks a question": (report("blocked", kind="question"), ("waiting", "question", "status", "It asks a question")),
    "it wants a login": (report("blocked", kind="auth"), ("waiting", "setup", "status", "It wants you to log in")),
    "it waits for somebody": (report("blocked"), ("waiting", "question", "status", "It waits for an answer")),
    "its question was answered on its screen": (WORKING + BLOCKED + WORKING, ("working", None, "status", ASK)),
    "its turn was interrupted while it asked": (WORKING + BLOCKED + IDLE, RESTS),
    "another question": (
        BLOCKED + report("blocked", kind="question", msg=encoded("which?")),
        ("waiting", "question", "status", "which?"),
    ),
    "an error": (WORKING + report("error", msg=encoded("429")), ("idle", None, "status", "429")),
    "an error without a word": (report("error"), ("idle", None, "status", "it reports an error")),
    "it says no more": (WORKING + report("clear"), UNKNOWN),
    "it says no more while it asks": (BLOCKED + report("clear"), UNKNOWN),
    "the end of a program inside of a shell": (WORKING + b"\x1b]133;A\x07", ("idle", None, "terminal", None)),
    "a part of it": (IDLE + report("working", id="a/b"), RESTS),
    "a named program": (report("working", id="a"), WORKS),
    "no state": (WORKING + report("asleep") + b"\x1b]7501;?\x07\x1b]7501;\x07", WORKS),
    "much text behind it": (BLOCKED + b"x" * 900_000, ASKS),
    "ten thousand parts": (WORKING + b"".join(report("idle", id=f"a/{n}") for n in range(10_000)), WORKS),
    "ten thousand programs": (b"".join(report("idle", id=n) for n in range(10_000)) + WORKING, WORKS),
    "a text that is no Base64": (
        report("blocked", msg="%%%%"),
        ("waiting", "question", "status", "It waits for an answer"),
    ),
    "a text of three megabytes": (report("blocked", msg=encoded("x" * 3_000_000)) + IDLE, RESTS),
    "bytes that are no text": (IDLE + b"\x1b]7501;state=blocked:msg=\xff\xfe\x00\x07" + WORKING, WORKS),
    "a record in 8 bits": (IDLE + b"\x9d7501;state=working\x9c", RESTS),
    "a record that another command cuts": (IDLE + b"\x1b]7501;state=blocked:msg=\x1b]0;title\x07" + WORKING, WORKS),
    "a cut one": (IDLE + WORKING[:-1], RESTS),
}


class Program:
    """A plain session under one keeper, and what the daemon says of it."""

    def __init__(self, keeper, inside, mission):
        self._keeper = keeper
        self.ask = inside.ask
        self.mission = mission

    def says(self, data):
        self._keeper.write(f"{self.mission}.1", data)

    async def now(self):
        """What it does, whom it needs, who says so, in which words, once its words were read."""
        await asyncio.sleep(4 * PAUSE)
        info = await self.ask("info", id=self.mission)
        return tuple(info[key] for key in ("activity", "need", "activity_source", "now"))

    async def questions(self):
        return [(one["question"], one["need"], one["summary"], one["attach_only"]) for one in await self.ask("inbox")]


async def begun(keeper, inside, command="cat"):
    mission = await inside.run(command, type="session")
    await until(lambda: inside.app.agents.of(mission).state.running)
    return Program(keeper, inside, mission)


def story(tmp_path, scenario):
    home = Home(str(tmp_path / "home"))
    keeper = ScriptedKeeper(home)
    try:
        return in_process.run(scenario(home, keeper))
    finally:
        keeper.close()


@pytest.mark.parametrize(("data", "known"), REPORTS.values(), ids=REPORTS)
def test_what_it_reports_is_known(tmp_path, data, known):
    async def scenario(home, keeper):
        async with supervising(home, keeper) as inside:
            program = await begun(keeper, inside)
            assert (await program.now())[:3] == UNKNOWN[:3]
            program.says(data)
            assert await program.now() == known
            assert [one[1] for one in await program.questions()] == [known[1]] * (known[0] == "waiting")

    story(tmp_path, scenario)


def test_a_question_is_asked_once_and_only_its_own_keys_answer_it(tmp_path):
    async def scenario(home, keeper):
        async with supervising(home, keeper) as inside:
            program = await begun(keeper, inside)
            program.says(WORKING + BLOCKED)
            assert await program.now() == ASKS
            ((number, *asked),) = await program.questions()
            assert asked == ["permission", ASK, True]
            for behaviour in ("allow", "deny", "always"):
                with pytest.raises(OvermindError, match="only be answered in its terminal: overmind attach"):
                    await program.ask("answer", question=number, behaviour=behaviour)
            program.says(b"its mark blinks" + BLOCKED)
            await program.now()
            assert [one[0] for one in await program.questions()] == [number]
            program.says(WORKING + BLOCKED)
            await program.now()
            assert [one[0] > number for one in await program.questions()] == [True], "it asks the same once more"

    story(tmp_path, scenario)


def test_nothing_is_typed_into_a_program_that_reports_that_it_waits_for_no_message(tmp_path):
    async def scenario(home, keeper):
        async with supervising(home, keeper) as inside:
            program = await begun(keeper, inside)
            for data, words in ((WORKING, "is working. Try again"), (BLOCKED, "Answer it first: overmind attach")):
                program.says(data)
                await program.now()
                with pytest.raises(OvermindError, match=words) as refused:
                    await program.ask("send", id=program.mission, text="hello")
                assert refused.value.code == "busy"
            assert keeper.typed == {}
            program.says(IDLE)
            await program.now()
            answer = await program.ask("send", id=program.mission, text="hello")
            assert answer["state"] == "delivered"
            assert keeper.typed[f"{program.mission}.1"] == [b"hello\r"]

    story(tmp_path, scenario)


def test_what_was_to_be_typed_behind_another_message_is_refused_once_that_has_begun_a_turn(tmp_path, monkeypatch):
    async def scenario(home, keeper):
        async with supervising(home, keeper) as inside:
            program = await begun(keeper, inside)
            program.says(IDLE)
            await program.now()

            async def screen(_pasting, _session):
                if keeper.typed:
                    program.says(WORKING)
                    await program.now()

            monkeypatch.setattr(Pasting, "screen", screen)
            sent = [asyncio.ensure_future(program.ask("send", id=program.mission, text=text)) for text in ("a", "b")]
            assert (await sent[0])["state"] == "delivered"
            with pytest.raises(OvermindError, match="is working"):
                await sent[1]
            assert keeper.typed[f"{program.mission}.1"] == [b"a\r"]

    story(tmp_path, scenario)


def test_what_it_reports_while_no_supervisor_lives_is_known_to_the_next_one(tmp_path):
    async def scenario(home, keeper):
        async with supervising(home, keeper) as first:
            program = await begun(keeper, first)
            program.says(WORKING + BLOCKED)
            assert await program.now() == ASKS
            ((number, *_),) = await program.questions()
        keeper.lose()
        async with supervising(home, keeper) as second:
            program = Program(keeper, second, program.mission)
            assert await program.now() == ASKS
            assert [one[0] for one in await program.questions()] == [number]
        keeper.lose()
        program.says(WORKING + DONE)
        async with supervising(home, keeper) as third:
            program = Program(keeper, third, program.mission)
            assert await program.now() == RESTS
            assert await program.questions() == []

    story(tmp_path, scenario)


LOUD = "\x1b[2J\x9b31m\u202eevil\u2066\u200b\r\nsecond line\x07\x00" + "x" * 3_900


@pytest.mark.parametrize("data", [report("blocked", msg=encoded(LOUD)), report("error", msg=encoded(LOUD))])
def test_hostile_words_are_cut_short_and_literal_where_they_are_shown(tmp_path, data):
    async def scenario(home, keeper):
        async with supervising(home, keeper) as inside:
            program = await begun(keeper, inside)
            program.says(data)
            words = (await program.now())[3]
            assert "evil" in words
            assert "\n" not in words
            assert len(words) < MOST_TEXT
            shown = safe(words)
            assert not [one for one in shown if unicodedata.category(one) in {"Cc", "Cf"}], ascii(shown)

    story(tmp_path, scenario)


def test_words_of_a_program_are_one_line_and_end_with_it(tmp_path):
    async def scenario(home, keeper):
        async with supervising(home, keeper) as inside:
            program = await begun(keeper, inside)
            program.says(HOSTILE)
            assert (await program.now())[:3] == ("waiting", "question", "status")
            keeper.exit(f"{program.mission}.1")
            await inside.app.registry.ended(program.mission)
            assert await program.questions() == []
            assert (await program.ask("info", id=program.mission))["activity"] is None

    story(tmp_path, scenario)
