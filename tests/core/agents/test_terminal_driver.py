"""How a message gets into an agent's own full-screen program: pasted, entered, proved; here the program is scripted."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from overmind_core.agents.output_reader import DIALOG_EARLY, DIALOG_SECONDS
from overmind_core.agents.terminal_driver import LOOK, LOST, PATIENCE, PRESSES, PROOF, RETRY, SETUP
from overmind_core.errors import OvermindError
from overmind_core.system.paths import Home
from tests.kit import in_process
from tests.kit.in_process import ScriptedKeeper, supervising, until, world

RULE = "─" * 40
ENTER = b"\r"
DIALOG = "Detected a custom API key in your environment"
SESSION = "11111111-2222-3333-4444-555555555555"


class Program:
    """What a person would see and type into. It loses what it is told to, as a busy one does.

    Attributes:
        typed: What it was given, piece by piece, and when (seconds of the loop).
        loses: How many of the next pastes or Enters do nothing.
        dialog: Covers the prompt while it is set.
        beside: It stands above the prompt instead.
        covers: Seconds for which one does once something was pasted.
        proof: Seconds from an Enter until its hook tells of the prompt; None: it never does.
        tells: What the hook says was typed; "" is what was.
    """

    def __init__(self, keeper, run):
        self.keeper = keeper
        self._run = run
        self.inside: Any = None
        self.token = ""
        self.prompt = ""
        self.typed = []
        self.loses = {"paste": 0, "enter": 0}
        self.dialog = ""
        self.beside = False
        self.covers = 0.0
        self.proof = 0.5
        self.tells = ""
        keeper.on_ask["write"] = lambda _fields: self._read(keeper.typed[run][-1])

    def draw(self):
        prompt = [RULE, f"❯ {self.prompt}", RULE, "  ? for shortcuts"]
        shown = [self.dialog, *(prompt if self.beside or not self.dialog else [])]
        self.keeper.write(self._run, ("\x1b[2J\x1b[H" + "\r\n".join(shown)).encode())

    async def hook(self, event, **payload):
        await self.inside.ask("hook", **self._told(event, payload))

    async def ask(self, event, **payload):
        """Return what a hook prints, once it has an answer."""
        stream = self.inside.stream("hook", **self._told(event, payload))
        try:
            return [one async for one in stream if one]
        finally:
            await stream.aclose()

    def says(self, report, *lines):
        """Draw these lines in place of all others."""
        self.keeper.write(self._run, report + ("\x1b[2J\x1b[H" + "\r\n".join(lines)).encode())

    def _told(self, event, payload):
        mission = self._run.partition(".")[0]
        told = {"hook_event_name": event, "session_id": SESSION, **payload}
        return {"mission": mission, "token": self.token, "payload": told}

    def cover(self, seconds):
        """Show a dialog for a while."""
        self.dialog = DIALOG
        self.draw()
        asyncio.get_running_loop().call_later(seconds, self._uncover)

    def _uncover(self):
        self.dialog = ""
        self.draw()

    def _read(self, piece):
        loop = asyncio.get_running_loop()
        self.typed.append((piece, loop.time()))
        assert not self.dialog, "typed into a dialog"
        what = "enter" if piece == ENTER else "paste"
        if self.loses[what]:
            self.loses[what] -= 1
        elif what == "paste":
            self.prompt = piece.decode().strip()
            if self.covers:
                self.cover(self.covers)
        else:
            text, self.prompt = self.prompt, ""
            assert text, "Enter at an empty prompt"
            if self.proof is not None:
                loop.call_later(self.proof, self._prove, self.tells or text)
        self.draw()

    def _prove(self, text):
        self._proving = asyncio.ensure_future(self.hook("UserPromptSubmit", prompt=text))


@pytest.fixture
def home(tmp_path):
    return Home(str(tmp_path / "home"))


@pytest.fixture
def environment(tmp_path):
    """Where `claude` is found."""
    return world(str(tmp_path / "bin"), "claude")


@asynccontextmanager
async def session(home, environment):
    """A session on a terminal that rests at its empty prompt."""
    keeper = ScriptedKeeper(home)
    async with supervising(home, keeper) as inside:
        mission = await inside.run("", env=environment, provider="claude", type="session", interactive=True)
        program = Program(keeper, f"{mission}.1")
        program.inside, program.token = inside, token_of(inside, mission)
        program.draw()
        await program.hook("SessionStart")
        await program.hook("Notification", notification_type="idle_prompt")
        yield inside, mission, program
    keeper.close()


def token_of(inside, mission):
    """What the run's hooks must know."""
    return inside.app.agents.of(mission).state.token


async def sent(inside, mission, text="hello"):
    """A message, as it stands once it was delivered or has failed, and how long that took."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    sending = await inside.ask("send", id=mission, text=text)
    await inside.ask("await_message", message=sending["message"], until="delivered", timeout=100)
    took = loop.time() - began
    (found,) = await inside.ask("messages", id=mission)
    return found, took


def story(home, environment, *, begin=None, **program_is):
    """What became of a message to such a program: how it stands, what was typed and when, and the seconds it took."""

    async def play():
        async with session(home, environment) as (inside, mission, program):
            for name, value in program_is.items():
                setattr(program, name, value)
            if begin is not None:
                begin(inside, mission, program)
            program.draw()
            message, took = await sent(inside, mission)
            return message, program.typed, took

    message, typed, took = in_process.run(play())
    return (message["state"], message["error"]), [name(piece) for piece, _ in typed], [at for _, at in typed], took


def name(piece):
    return "enter" if piece == ENTER else piece.decode().strip()


DELIVERED = ("delivered", None)
NOT_TAKEN = ("failed", "the program did not accept it")
ONCE = ["hello", "enter"]


@pytest.mark.parametrize(
    ("loses", "proof", "state", "typed"),
    [
        pytest.param({}, 0.5, DELIVERED, ONCE, id="it takes all"),
        pytest.param({}, PROOF - 1, DELIVERED, ONCE, id="its hook has much to do"),
        pytest.param({"enter": 1}, 0.5, DELIVERED, [*ONCE, "enter"], id="it loses Enter"),
        pytest.param({"enter": 3}, 0.5, DELIVERED, [*ONCE, "enter", "enter", "enter"], id="it loses Enter often"),
        pytest.param({"paste": 1}, 0.5, DELIVERED, ["hello", *ONCE], id="it loses the text"),
        pytest.param({"paste": 1, "enter": 1}, 0.5, DELIVERED, ["hello", *ONCE, "enter"], id="it loses both"),
        pytest.param({"paste": 2}, 0.5, NOT_TAKEN, ["hello", "hello"], id="it takes no text"),
        pytest.param({}, None, NOT_TAKEN, ONCE, id="it never tells that it has it"),
    ],
)
def test_a_message_is_pasted_entered_and_proved(home, environment, loses, proof, state, typed):
    before = {"paste": 0, "enter": 0}
    assert story(home, environment, loses=before | loses, proof=proof)[:2] == (state, typed)


def test_what_was_lost_is_typed_again_after_a_moment(home, environment):
    _, _, times, _ = story(home, environment, loses={"paste": 1, "enter": 1})
    pasted, again, entered, entered_again = times
    assert again - pasted == pytest.approx(LOST, abs=1)
    assert entered - again == pytest.approx(LOOK, abs=LOOK)
    assert entered_again - entered == pytest.approx(RETRY, abs=LOOK)


def test_a_message_is_given_up_once_its_proof_is_overdue(home, environment):
    _, _, times, took = story(home, environment, proof=None)
    assert PROOF < took - (times[-1] - times[0]) < PROOF + RETRY + 1


def test_nothing_is_typed_into_a_dialog(home, environment):
    """It comes when the text stands in the prompt: Enter would be a yes."""

    state, typed, (pasted, entered), _ = story(home, environment, covers=4.0)
    assert (state, typed) == (DELIVERED, ONCE)
    assert 4.0 < entered - pasted < 5.0


@pytest.mark.parametrize(
    ("seconds", "beside", "state"),
    [
        (PATIENCE - 2, False, DELIVERED),
        (PATIENCE - 2, True, DELIVERED),
        (PATIENCE + 20, False, DELIVERED),
        (PATIENCE + 21.5, False, DELIVERED),  # the prompt is noticed before the end of the dialog is
    ],
)
def test_a_prompt_without_a_dialog_is_waited_for(home, environment, seconds, beside, state):
    found, typed, _, took = story(
        home, environment, beside=beside, begin=lambda _i, _m, program: program.cover(seconds)
    )
    assert (found, typed) == (state, ONCE)
    assert seconds - 1 < took < seconds + 5


def test_an_interrupt_presses_no_key_into_a_dialog_before_the_first_turn(home, environment):
    """Escape is a no there, and ends the session."""

    async def play():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as inside:
            mission = await inside.run("hello", env=environment, provider="claude", type="session", interactive=True)
            session = inside.app.agents.of(mission)
            assert session is not None
            await until(lambda: session.state.sending, "it has begun with its prompt")
            program = Program(keeper, f"{mission}.1")
            program.dialog = DIALOG
            program.draw()
            await inside.ask("interrupt", id=mission)
            await asyncio.sleep(SETUP + 1)
            told = await inside.ask("interrupt", id=mission)
            await asyncio.sleep(1)
        keeper.close()
        return program.typed, told["interrupted"]

    assert in_process.run(play()) == ([], False)


ESCAPE, DELETE = b"\x1b", b"\x15\x7f"


class Starting(Program):
    """Begun with a prompt; loses so many keys, and puts the prompt back where one interrupts it."""

    def __init__(self, keeper, run, losing):
        super().__init__(keeper, run)
        self.losing = losing

    def _read(self, piece):
        self.typed.append((piece, asyncio.get_running_loop().time()))
        if piece == ESCAPE and self.losing:
            self.losing -= 1
        elif piece == ESCAPE:
            self.prompt = "hello"
            self.keeper.write(self._run, "\x1b]0;✳ hello\x07".encode())
        else:
            self.prompt = ""
        self.draw()


@pytest.mark.parametrize("losing", [0, 1])
def test_an_interrupt_ends_the_prompt_that_a_program_has_begun_with_and_puts_back(home, environment, losing):
    """No hook tells that it had it; what it puts back would become one with the next message."""

    async def play():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as inside:
            mission = await inside.run("hello", env=environment, provider="claude", type="session", interactive=True)
            agent = inside.app.agents.of(mission)
            assert agent is not None
            await until(lambda: agent.state.sending, "it has begun with its prompt")
            program = Starting(keeper, f"{mission}.1", losing)
            program.inside, program.token = inside, token_of(inside, mission)
            program.says(b"", "it starts")
            told = await inside.ask("interrupt", id=mission)
            await asyncio.sleep(1)
            if losing:  # it has come to run it all the same
                await program.hook("SessionStart")
                await program.hook("UserPromptSubmit", prompt="hello")
                program.says("\x1b]0;◐ hello\x07".encode(), RULE, "❯ ", RULE, "  esc to interrupt")
            await until(lambda: program.typed[-1][0] == DELETE, "what was put back is deleted")
            await until(lambda: agent.state.activity.doing == "idle", "it rests")
            (message,) = await inside.ask("messages", id=mission)
            state = agent.state
        keeper.close()
        return told["interrupted"], [piece for piece, _ in program.typed], message, state

    interrupted, typed, message, state = in_process.run(play())
    assert interrupted
    assert typed == [ESCAPE] * (losing + 1) + [DELETE]
    assert (message["state"], message["error"]) == ("failed", "interrupted")
    assert (state.sending, state.turn, state.failed) == (None, None, None)


WORKS = "\x1b]0;◐ hello\x07".encode()


@pytest.mark.parametrize(("works_on", "typed"), [(True, [ESCAPE] * (1 + PRESSES)), (False, [ESCAPE])])
def test_the_key_of_an_interrupt_is_pressed_again_where_the_turn_goes_on(home, environment, works_on, typed):
    """A program that draws loses it; at an empty prompt it would ask something else."""

    async def play():
        async with session(home, environment) as (inside, mission, program):
            await sent(inside, mission)
            program.keeper.on_ask.clear()  # it draws nothing for a key
            taken = program.keeper.typed[f"{mission}.1"]
            before = len(taken)
            program.says(WORKS, RULE, "❯ ", RULE, "  esc to interrupt")
            await inside.ask("interrupt", id=mission)
            if not works_on:
                program.says("\x1b]0;✳ hello\x07".encode(), RULE, "❯ ", RULE)
            await asyncio.sleep(5 * RETRY)
        return taken[before:]

    assert in_process.run(play()) == typed


def test_what_is_not_to_be_typed_any_more_once_its_screen_is_drawn_is_not_typed(home, environment, monkeypatch):
    async def play():
        async with session(home, environment) as (inside, mission, program):
            agent = inside.app.agents.of(mission)
            screens = agent._context.driver._screens
            draw = screens.of

            async def drawn(mission_id):
                screen = await draw(mission_id)
                agent.put(replace(agent.state, sending=None))
                return screen

            monkeypatch.setattr(screens, "of", drawn)
            await inside.ask("send", id=mission, text="hello")
            await asyncio.sleep(1)
            return program.typed

    assert in_process.run(play()) == []


def test_a_hook_whose_run_has_ended_meanwhile_tells_nothing(home, environment, monkeypatch):
    async def play():
        async with session(home, environment) as (inside, mission, program):
            agent = inside.app.agents.of(mission)

            async def end(*_read):
                inside.app.agents.drop(mission)

            monkeypatch.setattr(agent._context.usage, "on_hook", end)
            before = agent.state
            await program.hook("UserPromptSubmit", prompt="typed by hand")
            return agent.state == before

    assert in_process.run(play())


def test_a_draft_in_the_prompt_delays_a_message_is_told_and_never_typed_over(home, environment):
    async def play():
        async with session(home, environment) as (inside, mission, program):
            program.prompt = "half a li"
            program.draw()
            first = await inside.ask("send", id=mission, text="one")
            second = await inside.ask("send", id=mission, text="two")
            await inside.ask("await_message", message=first["message"], until="delivered", timeout=100)
            info = await inside.ask("info", id=mission)
            inbox = await inside.ask("inbox")
            states = [one["state"] for one in await inside.ask("messages", id=mission)]
            typed = list(program.typed)
            program.prompt = ""
            program.draw()
            await inside.ask("await_message", message=first["message"], until="delivered", timeout=100)
            await program.hook("Stop", last_assistant_message="")
            await inside.ask("await_message", message=second["message"], until="delivered", timeout=100)
            return info, inbox, states, typed, [name(piece) for piece, _ in program.typed]

    info, (asked,), states, before, after = in_process.run(play())
    assert (info["activity"], info["need"]) == ("waiting", "draft")
    assert "a draft is in the prompt" in info["now"]
    assert (asked["need"], asked["attach_only"], asked["subject"]["text"]) == ("draft", True, "half a li")
    assert (states, before) == (["queued", "queued"], [])
    assert after == ["one", "enter", "two", "enter"]


def test_words_that_a_program_suggests_by_itself_are_no_draft(home, environment):
    def begin(_inside, _mission, program):
        program.prompt = "\x1b[7mr\x1b[0m\x1b[2mun the tests\x1b[0m"

    assert story(home, environment, begin=begin)[:2] == (DELIVERED, ONCE)


def test_a_text_of_ours_that_stands_in_the_prompt_already_is_only_entered(home, environment):
    def begin(_inside, _mission, program):
        program.prompt = "hello"

    assert story(home, environment, begin=begin)[:2] == (DELIVERED, ["enter"])


@pytest.mark.parametrize(
    ("attached", "told", "state"),
    [
        pytest.param(False, "tidied up", DELIVERED, id="nobody else types: it is the message, whatever became of it"),
        pytest.param(True, "hel lo", DELIVERED, id="the same characters"),
        pytest.param(True, "another", NOT_TAKEN, id="a person's own"),
    ],
)
def test_which_prompt_is_the_message(home, environment, attached, told, state):
    def begin(inside, mission, program):
        program.tells = told
        if attached:
            program.seat = inside.app.attachments.seat(mission, types=True)
            program.seat.__enter__()

    assert story(home, environment, begin=begin)[:2] == (state, ONCE)


# --- a question that a person answers in the program's own dialog --------------------------------------------------

COMMAND = {"tool_name": "Bash", "tool_input": {"command": "make test"}, "prompt_id": "1"}
ASKS = ["make test", RULE, "Do you want to proceed?", "❯ 1. Yes", "  2. No"]


def report(state):
    return f"\x1b]7501;state={state}:app=claude-code\x1b\\".encode()


def title(mark):
    return f"\x1b]0;{mark} Claude Code\x07".encode()


WAYS = {"its reports": (report("working"), report("blocked")), "its title": (title("◐"), title("✳"))}
"""What says that it works, and what that it asks."""


@asynccontextmanager
async def question(home, environment, works, **payload):
    """One of a turn under way, for which its hook waits; its dialog is not there yet."""
    async with session(home, environment) as (inside, mission, program):
        await program.hook("UserPromptSubmit", prompt="test it")
        program.says(works)
        hook = asyncio.ensure_future(program.ask("PermissionRequest", **COMMAND, **payload))
        asked = await inside.question()
        yield inside, mission, program, asked, hook
        hook.cancel()
        await asyncio.wait([hook])


async def stands(inside, mission):
    """What it does, and how many questions are open, after everything that was written was read."""
    await asyncio.sleep(PATIENCE)
    info = await inside.ask("info", id=mission)
    return info["activity"], len(await inside.ask("inbox"))


@pytest.mark.parametrize(("works", "asks"), WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("is_hook_there", [True, False], ids=["its hook waits", "its hook is gone"])
def test_a_question_is_settled_once_its_dialog_has_said_yes_while_the_tool_runs(
    home, environment, works, asks, is_hook_there
):
    async def play():
        async with question(home, environment, works) as (inside, mission, program, asked, hook):
            program.says(asks, *ASKS)
            if not is_hook_there:
                hook.cancel()
            before = await stands(inside, mission)
            program.says(works, "⎿ make test (3s)")
            after = await stands(inside, mission)
            with pytest.raises(OvermindError, match="answered in its own program"):
                await inside.ask("answer", question=asked["question"], behaviour="deny")
            await program.hook("PostToolUse", **COMMAND, tool_use_id="1", tool_response="ok")
            said = await hook if is_hook_there else []
            return before, after, await stands(inside, mission), said

    assert in_process.run(play()) == (("waiting", 1), ("working", 0), ("working", 0), [])


@pytest.mark.parametrize(("works", "asks"), WAYS.values(), ids=WAYS)
def test_a_question_that_its_dialog_has_settled_while_no_supervisor_was_there_is_not_open(
    home, environment, works, asks
):
    async def play():
        async with question(home, environment, works) as (inside, mission, program, _asked, _hook):
            program.says(asks, *ASKS)
            assert await stands(inside, mission) == ("waiting", 1)
            keeper = program.keeper
            keeper.lose()
            program.says(works, "⎿ make test (3s)")
            async with supervising(home, keeper) as another:
                return await stands(another, mission)

    assert in_process.run(play()) == ("working", 0)


@pytest.mark.parametrize(("works", "asks"), WAYS.values(), ids=WAYS)
def test_a_dialog_that_comes_a_moment_after_its_hook_is_waited_for(home, environment, works, asks):
    async def play():
        async with question(home, environment, works) as (inside, mission, program, _asked, _hook):
            await asyncio.sleep(DIALOG_SECONDS - 1)
            program.says(asks, *ASKS)
            return await stands(inside, mission)

    assert in_process.run(play()) == ("waiting", 1)


@pytest.mark.parametrize(("works", "asks"), WAYS.values(), ids=WAYS)
def test_a_question_of_which_no_dialog_has_come_yet_is_not_settled_by_work(home, environment, works, asks):
    async def play():
        async with question(home, environment, works) as (inside, mission, program, _asked, _hook):
            found = []
            for said in (works, works, asks, works):
                await asyncio.sleep(2 * DIALOG_EARLY)
                program.says(said)
                found.append(await stands(inside, mission))
            return found

    waits = ("waiting", 1)
    assert in_process.run(play()) == [waits, waits, waits, ("working", 0)]


@pytest.mark.parametrize(("works", "asks"), WAYS.values(), ids=WAYS)
def test_a_dialog_behind_what_a_person_looks_at_or_types_is_not_answered(home, environment, works, asks):
    async def play():
        async with question(home, environment, works) as (inside, mission, program, _asked, _hook):
            program.says(asks, *ASKS)
            program.says(asks, "dialog waiting · Showing detailed transcript")
            return await stands(inside, mission)

    assert in_process.run(play()) == ("waiting", 1)


@pytest.mark.parametrize(("works", "asks"), WAYS.values(), ids=WAYS)
def test_a_question_of_a_sub_agent_has_no_dialog_and_stays_open(home, environment, works, asks):
    """Its program works on meanwhile, and asks other things."""

    async def play():
        async with question(home, environment, works, agent_id="a1") as (inside, mission, program, asked, hook):
            for said in (works, asks, works):
                program.says(said)
                assert await stands(inside, mission) == ("waiting", 1)
            await inside.ask("answer", question=asked["question"], behaviour="allow")
            return await hook

    (answer,) = in_process.run(play())
    assert answer["hookSpecificOutput"]["decision"]["behavior"] == "allow"
