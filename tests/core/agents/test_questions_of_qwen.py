"""Questions of a program whose title tells its state: they end as its prompt is there again, and one by one."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest

from overmind_core.agents.output_reader import HOOK_SECONDS, PAGE_SECONDS
from overmind_core.agents.terminal_driver import DELETE_LINE, DIALOG, DRAFT, PATIENCE, PROOF, SETUP
from overmind_core.system.paths import Home
from tests.kit import in_process
from tests.kit.in_process import ScriptedKeeper, supervising, world

SCREENS = Path(__file__).parents[2] / "data" / "screens" / "qwen"
IDLE, WORKING, WAITING = "Qwen - shop", "◐\ufe0e Qwen - shop", "✳\ufe0e Qwen - shop"
FIRST, SECOND = "touch made", "touch a2"


class Program:
    """A qwen that shows what it is told to."""

    def __init__(self, keeper, inside, mission):
        self.keeper, self.inside, self.mission, self.run = keeper, inside, mission, f"{mission}.1"
        self.answers: Any = lambda: None
        keeper.on_ask["write"] = lambda _fields: self.answers()

    @property
    def typed(self):
        return self.keeper.typed[self.run]

    def shows(self, title, name):
        text = "\r\n".join((SCREENS / f"{name}.txt").read_text(encoding="utf-8").splitlines()[-30:])
        self.keeper.write(self.run, f"\x1b]2;{title}\x07\x1b[2J\x1b[H{text}".encode())

    async def hook(self, event, **payload):
        """Return what a hook prints at once."""
        state = self.inside.app.agents.of(self.mission).state
        told = {"hook_event_name": event, "session_id": state.session, "cwd": "/", **payload}
        stream = self.inside.stream("hook", mission=self.mission, token=state.token, payload=told)
        return [one async for one in stream if one]

    async def asks(self, command):
        assert await self.hook("PermissionRequest", **use_of(command)) == []


def use_of(command):
    return {"tool_name": "run_shell_command", "tool_input": {"command": command}}


@pytest.fixture
def home(tmp_path):
    return Home(str(tmp_path / "home"))


@pytest.fixture
def environment(tmp_path):
    """Where `qwen` is found."""
    return world(str(tmp_path / "bin"), "qwen")


@asynccontextmanager
async def started(home, environment, prompt="", size=(80, 24), **agent):
    """A session on a terminal that has said that it rests."""
    keeper = ScriptedKeeper(home)
    async with supervising(home, keeper) as inside:
        how = {"provider": "qwen", "type": "session", "interactive": True, "agent": agent}
        how |= dict(zip(("columns", "rows"), size, strict=True))
        mission = await inside.run(prompt, env=environment, **how)
        program = Program(keeper, inside, mission)
        await program.hook("SessionStart", source="startup", model="stub")
        yield inside, mission, program
    keeper.close()


@asynccontextmanager
async def turn(home, environment, prompt="do it", **agent):
    """A session on a terminal in whose turn nothing is asked yet."""
    async with started(home, environment, prompt, **agent) as (inside, mission, program):
        program.shows(WORKING, "working")
        await program.hook("UserPromptSubmit", prompt=prompt, submitted_prompt=prompt)
        yield inside, mission, program


def test_a_page_behind_which_it_says_that_it_rests_is_told_until_it_is_gone(home, environment):
    async def play():
        async with started(home, environment, size=(120, 40)) as (inside, mission, program):
            program.shows(IDLE, "login")
            await asyncio.sleep(2 * SETUP)
            before = await asked(inside), (await inside.ask("info", id=mission))["activity"]
            program.shows(IDLE, "start")
            await asyncio.sleep(2 * SETUP)
            return before, await asked(inside), (await inside.ask("info", id=mission))["activity"]

    before, after, activity = in_process.run(play())
    assert before == (["log in"], "waiting")
    assert (after, activity) == ([], "idle")


def test_a_page_that_a_person_opens_behind_the_first_prompt_is_theirs(home, environment):
    async def play():
        async with started(home, environment, size=(120, 40)) as (inside, _mission, program):
            program.shows(IDLE, "start")
            await asyncio.sleep(2 * SETUP)
            program.shows(IDLE, "login")
            await asyncio.sleep(2 * SETUP)
            return await asked(inside)

    assert in_process.run(play()) == []


async def asked(inside):
    return [one["summary"] for one in await inside.ask("inbox")]


def test_of_two_questions_at_once_the_one_that_is_answered_first_waits_for_its_dialog(home, environment):
    async def play():
        async with turn(home, environment) as (inside, _mission, program):
            await program.asks(FIRST)
            await program.asks(SECOND)
            program.shows(WAITING, "command")
            first, second = await inside.ask("inbox")
            await inside.ask("answer", question=second["question"], behaviour="allow")
            await asyncio.sleep(2 * DIALOG)
            before = list(program.typed)
            program.answers = lambda: program.shows(
                *(WAITING, "second") if len(program.typed) == 1 else (WORKING, "working")
            )
            await inside.ask("answer", question=first["question"], behaviour="allow")
            await asyncio.sleep(2 * PROOF)
            return before, program.typed, await asked(inside)

    assert in_process.run(play()) == ([], [b"1", b"1"], [])


def test_a_tool_that_runs_is_asked_about_no_more(home, environment):
    async def play():
        async with turn(home, environment) as (inside, _mission, program):
            await program.asks(FIRST)
            before = await asked(inside)
            await program.hook("PreToolUse", tool_use_id="t1", **use_of(FIRST))
            return before, await asked(inside)

    assert in_process.run(play()) == ([f"Bash: {FIRST}"], [])


@pytest.mark.parametrize(("screen", "state"), [("refused", "failed"), ("answered", "answered")])
def test_a_question_is_gone_once_the_prompt_is_there_again(home, environment, screen, state):
    async def play():
        async with turn(home, environment) as (inside, mission, program):
            await program.asks(FIRST)
            program.shows(WAITING, "command")
            await asyncio.sleep(PATIENCE)
            before = await asked(inside)
            program.shows(IDLE, screen)
            await asyncio.sleep(HOOK_SECONDS * 12)
            (message,) = await inside.ask("messages", id=mission)
            return before, await asked(inside), message["state"]

    assert in_process.run(play()) == ([f"Bash: {FIRST}"], [], state)


def test_a_dialog_that_no_hook_has_told_of_is_a_persons_and_gone_once_it_works(home, environment):
    async def play():
        async with turn(home, environment) as (inside, _mission, program):
            program.shows(WAITING, "command")
            await asyncio.sleep(PAGE_SECONDS + 1)
            program.shows(WAITING, "command")
            await asyncio.sleep(1)
            before = await asked(inside)
            program.shows(WORKING, "working")
            await asyncio.sleep(PATIENCE)
            return before, program.typed, await asked(inside)

    assert in_process.run(play()) == (["answer it on its screen: Allow execution of: 'touch'?"], [], [])


def test_a_question_of_its_own_stays_until_its_dialog_was_drawn_and_is_gone(home, environment):
    async def play():
        async with turn(home, environment) as (inside, _mission, program):
            program.shows(WORKING, "working")
            await program.hook("PermissionRequest", tool_name="ask_user_question", tool_input={"questions": []})
            seen = []
            for title, screen in ((WORKING, "working"), (WAITING, "command"), (WORKING, "working")):
                program.shows(title, screen)
                await asyncio.sleep(PATIENCE)
                seen.append(len(await asked(inside)))
            return seen

    assert in_process.run(play()) == [1, 1, 0]


@pytest.mark.parametrize(
    ("prompt", "attached", "is_deleted"),
    [("%slow 20 hey", False, True), ("%slow 20 hey", True, False), ("another one", False, False)],
)
def test_what_was_interrupted_and_put_back_is_deleted_before_the_next_message(
    home, environment, prompt, attached, is_deleted
):
    async def play():
        async with turn(home, environment, prompt) as (inside, mission, program):
            await inside.ask("interrupt", id=mission)
            program.shows(IDLE, "interrupted")
            await asyncio.sleep(HOOK_SECONDS * 3)
            program.answers = lambda: program.shows(IDLE, "start") if DELETE_LINE in program.typed else None
            with inside.app.attachments.seat(mission, types=True) if attached else nullcontext():
                await inside.ask("send", id=mission, text="hello")
                await asyncio.sleep(DRAFT * 2)
            first, _ = await inside.ask("messages", id=mission)
            return first["error"], program.typed[1:3], [one["need"] for one in await inside.ask("inbox")]

    error, typed, needs = in_process.run(play())
    assert error == "interrupted"
    assert typed == ([DELETE_LINE, b"hello"] if is_deleted else [])
    assert needs == ([] if is_deleted else ["draft"])
