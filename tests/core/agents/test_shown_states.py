"""What the title and the screen of a program tell that reports nothing: a title is believed, a screen is a guess."""

from __future__ import annotations

import asyncio

import pytest

from overmind_core.agents import pasting
from overmind_core.agents.output_reader import PAUSE
from overmind_core.errors import OvermindError
from overmind_core.system.paths import Home
from tests.kit import in_process
from tests.kit.in_process import ScriptedKeeper, supervising, until

PROMPT = b"\x1b[2J\x1b[H answer\r\n ~/ws 8.1K (8%) ctrl+p commands"
WORKS = b"\x1b[2J\x1b[H answer\r\n   \xe2\xac\x9d  esc interrupt   ctrl+p commands"
DIALOG = "\x1b[2J\x1b[H  ┃  △ Permission required\r\n  ┃  $ touch made.txt\r\n  ┃".encode()
UNKNOWN = ("unknown", None, None, None)


def title(text):
    return f"\x1b]0;{text}\x07".encode()


def ready(text, prompt):
    """A title, and an empty prompt."""
    return title(text) + f"\x1b[2J\x1b[H{prompt}".encode()


GEMINI = ready("◇  Ready (ws)", " >   Type your message")
QWEN = ready("Qwen - ws", ">   Type your message")


class Program:
    """A plain session of a program that is known by its name, under one keeper."""

    def __init__(self, keeper, inside, mission):
        self._keeper = keeper
        self.ask = inside.ask
        self.mission = mission

    async def shows(self, data):
        """What it does, whom it needs, what is guessed, and who says so, once this was read."""
        self._keeper.write(f"{self.mission}.1", data)
        await asyncio.sleep(4 * PAUSE)
        return await self.now()

    def draws(self, prompt):
        """From now on draw what is typed: a paste into that prompt, and the empty prompt for any other key."""

        def on_typed(_fields):
            pasted = self.typed()[-1].startswith(b"\x1b[200~")
            self._keeper.write(f"{self.mission}.1", prompt("pasted" if pasted else ""))

        self._keeper.on_ask["write"] = on_typed

    def typed(self):
        """All that was typed into it."""
        return self._keeper.typed.get(f"{self.mission}.1", [])

    async def now(self):
        info = await self.ask("info", id=self.mission)
        return tuple(info[key] for key in ("activity", "need", "activity_guess", "activity_source"))


async def running(inside, mission):
    await until(lambda: inside.app.agents.of(mission).state.running)


def story(tmp_path, command, scenario):
    home = Home(str(tmp_path / "home"))
    keeper = ScriptedKeeper(home)

    async def whole():
        async with supervising(home, keeper) as inside:
            mission = await inside.run(command, type="session")
            await running(inside, mission)
            await scenario(Program(keeper, inside, mission))

    try:
        in_process.run(whole())
    finally:
        keeper.close()


@pytest.fixture
def programs(tmp_path):
    """A folder with programs of these names."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("gemini", "qwen", "opencode"):
        (folder / name).write_text("#!/bin/sh\ncat\n")
        (folder / name).chmod(0o755)
    return folder


def test_a_title_is_believed_its_question_is_in_the_inbox_and_nothing_is_typed_into_it(tmp_path, programs):
    async def scenario(program):
        assert await program.now() == UNKNOWN
        assert await program.shows(title("◇  Ready (ws)") + b" \xe2\x94\x82 ? Get started") == UNKNOWN
        assert await program.shows(GEMINI) == ("idle", None, None, "title")
        assert await program.shows(title("✦  Working… (ws)")) == ("working", None, None, "title")
        with pytest.raises(OvermindError, match=r"is working\. Try again when its turn is over"):
            await program.ask("send", id=program.mission, text="go on")
        assert await program.shows(title("✋  Action Required (ws)")) == ("waiting", "question", None, "title")
        (asked,) = await program.ask("inbox")
        assert (asked["attach_only"], asked["summary"]) == (True, "It waits for an answer")
        with pytest.raises(OvermindError, match="asks something, which only its own keys answer"):
            await program.ask("send", id=program.mission, text="go on")
        assert await program.shows(b"its mark blinks") == ("waiting", "question", None, "title")
        assert await program.shows(title("✦  Working… (ws)")) == ("working", None, None, "title")
        assert await program.ask("inbox") == []
        assert await program.shows(b"x" * 2_000_000 + GEMINI) == ("idle", None, None, "title")
        assert await program.shows(title("")) == ("unknown", None, "idle", "screen")

    story(tmp_path, [str(programs / "gemini")], scenario)


def test_the_same_title_means_another_thing_in_another_program(tmp_path, programs):
    async def scenario(program):
        assert await program.shows(title("✳︎ Qwen - ws")) == ("waiting", "question", None, "title")
        assert await program.shows(QWEN) == ("idle", None, None, "title")

    story(tmp_path, [str(programs / "qwen")], scenario)


def test_a_screen_is_a_guess_it_asks_nobody_and_a_report_of_the_program_wins(tmp_path, programs):
    async def scenario(program):
        assert await program.shows(PROMPT) == ("unknown", None, "idle", "screen")
        assert await program.shows(WORKS) == ("unknown", None, "working", "screen")
        assert await program.shows(DIALOG) == ("unknown", None, "waiting", "screen")
        assert await program.ask("inbox") == []
        with pytest.raises(OvermindError, match="seems to ask something, by its screen"):
            await program.ask("send", id=program.mission, text="go on")
        assert await program.shows(b"\x1b[2J nothing that is known") == UNKNOWN
        assert await program.shows(b"\x1b]7501;state=idle\x07") == ("idle", None, None, "status")
        assert await program.shows(DIALOG) == ("idle", None, None, "status")

    story(tmp_path, [str(programs / "opencode")], scenario)


def test_a_program_that_is_not_known_shows_what_it_likes(tmp_path):
    async def scenario(program):
        assert await program.shows(title("✦  Working… (ws)") + DIALOG) == UNKNOWN

    story(tmp_path, "cat", scenario)


def test_a_turn_is_interrupted_by_the_keys_of_its_program_and_none_is_pressed_where_it_rests(tmp_path, programs):
    async def two(program):
        await program.ask("interrupt", id=program.mission)
        await until(lambda: program.typed() == [b"\x1b", b"\x1b"])

    async def none(program):
        assert await program.shows(GEMINI) == ("idle", None, None, "title")
        assert not (await program.ask("interrupt", id=program.mission))["interrupted"]
        assert program.typed() == []
        await program.shows(title("✦  Working… (ws)"))
        assert (await program.ask("interrupt", id=program.mission))["interrupted"]
        assert program.typed() == [b"\x1b"]

    async def ctrl_c(program):
        await program.ask("interrupt", id=program.mission)
        assert program.typed() == [b"\x03"]

    story(tmp_path / "1", [str(programs / "opencode")], two)
    story(tmp_path / "2", [str(programs / "gemini")], none)
    story(tmp_path / "3", "cat", ctrl_c)


PASTES = b"\x1b[?2004h"


def qwen(text):
    """Its prompt with this in it, and the cursor behind that."""
    return PASTES + title("Qwen - ws") + f"\x1b[2J\x1b[H answer\r\n{'─' * 40}\r\n> {text}".encode()


def test_nothing_is_typed_into_a_known_program_that_shows_no_empty_prompt(tmp_path, programs, monkeypatch):
    monkeypatch.setattr(pasting, "PROMPT", 0.3)

    async def scenario(program):
        assert (await program.shows(qwen("a draft")))[0] == "idle"
        for shown in (b"", b"\r\n\r\n the end of the screen", qwen("") + b"\r\n\r\n"):
            await program.shows(shown)
            with pytest.raises(OvermindError, match="shows no empty prompt") as refused:
                await program.ask("send", id=program.mission, text="go on")
            assert refused.value.code == "draft"
        assert program.typed() == []
        await program.shows(qwen(""))
        program.draws(qwen)
        assert (await program.ask("send", id=program.mission, text="go on"))["state"] == "delivered"
        assert program.typed() == [b"\x1b[200~go on\x1b[201~", b"\r"]

    story(tmp_path, [str(programs / "qwen")], scenario)


def test_what_an_interrupt_has_put_back_into_the_prompt_is_deleted_and_nothing_else_is(tmp_path, programs, monkeypatch):
    monkeypatch.setattr(pasting, "PROMPT", 0.3)

    async def scenario(program):
        await program.shows(qwen(""))
        program.draws(qwen)
        await program.ask("send", id=program.mission, text="tidy it\nall")
        await program.shows(title("◐ Qwen - ws"))
        await program.ask("interrupt", id=program.mission)
        before = [*program.typed()]
        await program.shows(qwen("tidy it\r\n  all, please"))
        with pytest.raises(OvermindError, match="shows no empty prompt"):
            await program.ask("send", id=program.mission, text="go on")
        assert program.typed() == before
        await program.shows(qwen("tidy it\r\n  all"))
        sent = asyncio.ensure_future(program.ask("send", id=program.mission, text="go on"))
        assert (await sent)["state"] == "delivered"
        assert program.typed()[len(before) :] == [b"\x15\x7f", b"\x1b[200~go on\x1b[201~", b"\r"]

    story(tmp_path, [str(programs / "qwen")], scenario)


def test_what_an_interrupt_puts_back_a_moment_later_does_not_become_one_with_the_next_message(tmp_path, programs):
    async def scenario(program):
        await program.shows(qwen(""))
        program.draws(qwen)
        await program.ask("send", id=program.mission, text="tidy it")
        await program.shows(title("◐ Qwen - ws"))
        await program.ask("interrupt", id=program.mission)
        before = [*program.typed()]
        await program.shows(qwen(""))
        sent = asyncio.ensure_future(program.ask("send", id=program.mission, text="go on"))
        await asyncio.sleep(pasting.TOLD / 2)
        await program.shows(qwen("tidy it"))
        assert (await sent)["state"] == "delivered"
        assert program.typed()[len(before) :] == [b"\x15\x7f", b"\x1b[200~go on\x1b[201~", b"\r"]

    story(tmp_path, [str(programs / "qwen")], scenario)


def test_another_supervisor_reads_anew_what_changed_while_none_was_there(tmp_path, programs):
    home = Home(str(tmp_path / "home"))
    keeper = ScriptedKeeper(home)

    async def whole():
        async with supervising(home, keeper) as inside:
            mission = await inside.run([str(programs / "opencode")], type="session")
            await running(inside, mission)
            program = Program(keeper, inside, mission)
            assert await program.shows(DIALOG) == ("unknown", None, "waiting", "screen")
            inside.app.journal.flush()
            for shown, told in ((b"\x1b[2J nothing", UNKNOWN), (WORKS, ("unknown", None, "working", "screen"))):
                keeper.write(f"{mission}.1", shown)
                async with supervising(home, keeper) as later:
                    program = Program(keeper, later, mission)
                    assert await program.shows(b"") == told
                    later.app.journal.flush()

    try:
        in_process.run(whole())
    finally:
        keeper.close()
