"""Questions of a program whose hooks do not wait: its dialog's own keys answer, while that very dialog is there."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from overmind_core.agents.output_reader import PAGE_SECONDS
from overmind_core.agents.terminal_driver import DIALOG, LOOK, PATIENCE, PRESSES, PROOF
from overmind_core.errors import OvermindError
from overmind_core.system.paths import Home
from tests.kit import in_process
from tests.kit.in_process import ScriptedKeeper, supervising, world

SCREENS = Path(__file__).parents[2] / "data" / "screens" / "codex"
MADE = {"tool_name": "Bash", "tool_input": {"command": "touch made"}}
SESSION = "01a22de1-a13f-7df1-89c3-22677c557198"
DRAWN = 0.4
"""Seconds for which codex loses what is pressed, once its dialog is on the screen."""
IDLE, WORKING, BLOCKED = "idle", "working", "blocked:kind=permission"


class Program:
    """A codex that shows what it is told to, and goes on as it is answered.

    Attributes:
        typed: What it was given.
        goes_on: Whether a key takes its dialog away.
        drops: So many keys do nothing before that.
        then: The screen behind its dialog.
    """

    def __init__(self, keeper, run):
        self.keeper, self._run, self.goes_on, self.drops = keeper, run, True, 0
        self.then = (WORKING, "working")
        self.inside: Any = None
        self.token = ""
        keeper.on_ask["write"] = lambda _fields: self._read()

    @property
    def typed(self):
        return self.keeper.typed[self._run]

    def shows(self, state, name, above=""):
        text = "\r\n".join((SCREENS / f"{name}.txt").read_text(encoding="utf-8").splitlines())
        drawn = f"\x1b]7501;state={state}:app=codex\x1b\\\x1b[2J\x1b[H{text}\x1b[H{above}"
        self.keeper.write(self._run, drawn.encode())

    async def hook(self, event, **payload):
        """Return what a hook prints at once."""
        told = {"hook_event_name": event, "session_id": SESSION, "turn_id": "t1", "cwd": "/", **payload}
        mission = self._run.partition(".")[0]
        stream = self.inside.stream("hook", mission=mission, token=self.token, payload=told)
        return [one async for one in stream if one]

    def _read(self):
        self.drops -= 1
        if self.goes_on and self.drops < 0:
            self.shows(*self.then)


@pytest.fixture
def home(tmp_path):
    return Home(str(tmp_path / "home"))


@pytest.fixture
def environment(tmp_path):
    """Where `codex` is found."""
    return world(str(tmp_path / "bin"), "codex")


@asynccontextmanager
async def turn(home, environment, **agent):
    """A session on a terminal in whose turn nothing is asked yet."""
    keeper = ScriptedKeeper(home)
    async with supervising(home, keeper) as inside:
        how = {"provider": "codex", "type": "session", "interactive": True, "agent": agent}
        mission = await inside.run("", env=environment, **how)
        program = Program(keeper, f"{mission}.1")
        program.inside, program.token = inside, token_of(inside, mission)
        await program.hook("SessionStart", source="opened", model="stub", permission_mode="ask")
        program.shows(IDLE, "start")
        await asyncio.sleep(PATIENCE)
        program.shows(WORKING, "working")
        await program.hook("UserPromptSubmit", prompt="do it")
        yield inside, mission, program
    keeper.close()


def token_of(inside, mission):
    """What the run's hooks must know."""
    return inside.app.agents.of(mission).state.token


async def asks(inside, program, screen="command"):
    assert await program.hook("PermissionRequest", **MADE) == []
    asked = await inside.question()
    if screen:
        program.shows(BLOCKED, screen)
    return asked


async def needs(inside):
    return [one["need"] for one in await inside.ask("inbox")]


@pytest.mark.parametrize(("behaviour", "key"), [("allow", b"y"), ("deny", b"\x1b"), ("always", b"y")])
def test_the_key_of_the_dialog_answers(home, environment, behaviour, key):
    async def play():
        async with turn(home, environment) as (inside, _mission, program):
            asked = await asks(inside, program)
            await inside.ask("answer", question=asked["question"], behaviour=behaviour)
            await asyncio.sleep(PROOF)
            return program.typed, await needs(inside)

    assert in_process.run(play()) == ([key], [])


def test_a_dialog_that_comes_late_is_waited_for(home, environment):
    async def play():
        async with turn(home, environment) as (inside, _mission, program):
            asked = await asks(inside, program, "")
            await inside.ask("answer", question=asked["question"], behaviour="allow")
            await asyncio.sleep(DIALOG - 2)
            before = list(program.typed)
            program.shows(BLOCKED, "command")
            await asyncio.sleep(PROOF)
            return before, program.typed, await needs(inside)

    assert in_process.run(play()) == ([], [b"y"], [])


def test_nothing_is_typed_into_a_dialog_about_another_command_and_a_person_answers_it(home, environment):
    async def play():
        async with turn(home, environment) as (inside, _mission, program):
            asked = await asks(inside, program, "command_wrapped")
            await inside.ask("answer", question=asked["question"], behaviour="allow")
            await asyncio.sleep(DIALOG + 1)
            found = await inside.question()
            with pytest.raises(OvermindError, match="answered in its terminal"):
                await inside.ask("answer", question=found["question"], behaviour="allow")
            program.shows(WORKING, "working")
            await asyncio.sleep(PATIENCE)
            return program.typed, found["need"], await needs(inside)

    assert in_process.run(play()) == ([], "setup", [])


def test_what_is_not_asked_any_more_needs_no_key(home, environment):
    async def play():
        async with turn(home, environment) as (inside, _mission, program):
            asked = await asks(inside, program, "")
            await inside.ask("answer", question=asked["question"], behaviour="allow")
            await asyncio.sleep(DIALOG + 1)
            return program.typed, await needs(inside)

    assert in_process.run(play()) == ([], [])


def test_a_key_that_is_dropped_is_pressed_again(home, environment):
    async def play():
        async with turn(home, environment) as (inside, _mission, program):
            program.drops = 1
            asked = await asks(inside, program)
            await inside.ask("answer", question=asked["question"], behaviour="allow")
            await asyncio.sleep(PROOF)
            return program.typed, await needs(inside)

    assert in_process.run(play()) == ([b"y", b"y"], [])


@pytest.mark.parametrize("behaviour", ["allow", "deny"])
def test_no_key_is_pressed_as_the_dialog_is_drawn_for_a_program_keeps_it_and_all_later_ones(
    home, environment, behaviour
):
    async def play():
        async with turn(home, environment) as (inside, _mission, program):
            asked = await asks(inside, program, "")
            await inside.ask("answer", question=asked["question"], behaviour=behaviour)
            await asyncio.sleep(LOOK)
            program.goes_on = False
            program.shows(BLOCKED, "command")
            await asyncio.sleep(DRAWN)
            as_drawn, program.goes_on = list(program.typed), True
            await asyncio.sleep(PROOF)
            return as_drawn, len(program.typed), await needs(inside)

    assert in_process.run(play()) == ([], 1, [])


def test_the_same_dialog_on_another_screen_is_a_persons(home, environment):
    async def play():
        async with turn(home, environment) as (inside, _mission, program):
            program.then = (BLOCKED, "command", "touch made was allowed")
            asked = await asks(inside, program)
            await inside.ask("answer", question=asked["question"], behaviour="allow")
            await asyncio.sleep(PROOF + 2)
            return program.typed, await needs(inside)

    assert in_process.run(play()) == ([b"y"], ["setup"])


def test_keys_that_do_nothing_are_not_pressed_for_ever(home, environment):
    async def play():
        async with turn(home, environment) as (inside, _mission, program):
            program.goes_on = False
            asked = await asks(inside, program)
            await inside.ask("answer", question=asked["question"], behaviour="allow")
            await asyncio.sleep(PROOF + 2)
            return program.typed, await needs(inside)

    assert in_process.run(play()) == ([b"y"] * PRESSES, ["setup"])


def test_one_of_two_questions_that_its_dialog_could_be_about_is_a_persons(home, environment):
    lines = [f"echo line {number}" for number in range(60)]

    async def play():
        async with turn(home, environment) as (inside, _mission, program):
            for end in ("a", "b"):
                command = {"command": "\n".join([*lines, end])}
                await program.hook("PermissionRequest", tool_name="Bash", tool_input=command)
            program.shows(BLOCKED, "command_cut")
            first, _ = await inside.ask("inbox")
            await inside.ask("answer", question=first["question"], behaviour="allow")
            await asyncio.sleep(DIALOG + 1)
            return program.typed, sorted(await needs(inside))

    assert in_process.run(play()) == ([], ["permission", "setup"])


def test_the_screens_own_answer_takes_it_out_of_the_inbox_while_the_command_runs(home, environment):
    async def play():
        async with turn(home, environment) as (inside, mission, program):
            await asks(inside, program)
            await asyncio.sleep(PATIENCE)
            before = await needs(inside)
            program.shows(WORKING, "working")
            await asyncio.sleep(PATIENCE)
            return before, await needs(inside), (await inside.ask("info", id=mission))["activity"]

    assert in_process.run(play()) == (["permission"], [], "working")


def test_another_supervisor_answers_it_under_the_same_number(home, environment):
    async def play():
        async with turn(home, environment) as (inside, _mission, program):
            asked = await asks(inside, program)
            program.keeper.lose()
            async with supervising(home, program.keeper) as another:
                program.inside = another
                again = await another.question()
                await another.ask("answer", question=again["question"], behaviour="allow")
                await asyncio.sleep(PROOF)
                return asked["question"] == again["question"], program.typed, await needs(another)

    assert in_process.run(play()) == (True, [b"y"], [])


def test_a_dialog_that_no_hook_has_told_of_is_a_persons_and_gone_once_it_works(home, environment):
    async def play():
        async with turn(home, environment) as (inside, _mission, program):
            program.shows(BLOCKED, "command")
            await asyncio.sleep(PAGE_SECONDS + 1)
            program.shows(BLOCKED, "command")
            await asyncio.sleep(1)
            before = await needs(inside)
            program.shows(WORKING, "working")
            await asyncio.sleep(PATIENCE)
            return before, program.typed, await needs(inside)

    assert in_process.run(play()) == (["setup"], [], [])


@pytest.mark.parametrize(("rule", "said"), [("allow", "allow"), ("deny", "deny")])
def test_a_rule_answers_the_hook_before_a_dialog_is_there(home, environment, rule, said):
    async def play():
        async with turn(home, environment, **{rule: ["Bash(touch made)"]}) as (inside, _mission, program):
            (answer,) = await program.hook("PermissionRequest", **MADE)
            return answer["hookSpecificOutput"]["decision"]["behavior"], program.typed, await needs(inside)

    assert in_process.run(play()) == (said, [], [])


def test_the_name_of_the_conversation_is_known_before_its_first_turn_and_is_no_other_one(home, environment):
    async def play():
        async with turn(home, environment) as (inside, mission, _program):
            info = await inside.ask("info", id=mission)
            return info["session_id"], info["permission_mode"], [one["type"] for one in inside.events(mission)]

    session, mode, types = in_process.run(play())
    assert (session, mode) == (SESSION, "ask")
    assert "session" not in types
