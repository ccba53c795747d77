"""What a run knows from its beginning: asked of memory in time, given to the program alone, and the same again."""

from __future__ import annotations

import asyncio
import json
import os
import stat
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from overmind_core.domain.agents.agent import AgentMode, AgentNeed
from overmind_core.domain.agents.agent_events import Asked, SessionNamed, TurnBegan, TurnEnded, TurnResult
from overmind_core.domain.agents.conversation_events import ModeWanted
from overmind_core.domain.agents.permission import TITLE_ONLY
from overmind_core.domain.memory.giving import Injection
from overmind_core.errors import OvermindError
from overmind_core.kernel.keeper_client import KeeperRefused
from overmind_core.system.paths import Home
from tests.kit import in_process
from tests.kit.briefing import IDS, Remembered
from tests.kit.in_process import ScriptedKeeper, supervising, until, world

LINE = f"[memory] 2 notes, 12 tokens: {' '.join(IDS)} (3 left out)"


class Story:
    """A supervisor with a memory, and what its keeper is asked to start."""

    def __init__(self, folder):
        self.home = Home(str(folder / "home"))
        self.memory = Remembered()
        self.keeper = ScriptedKeeper(self.home)
        self.environment = world(str(folder / "bin"), "claude", "codex", "opencode")

    @asynccontextmanager
    async def supervisor(self):
        async with supervising(self.home, self.keeper, briefing=self.memory) as inside:
            yield inside

    def play(self, work):
        async def whole():
            try:
                return await work()
            finally:
                self.keeper.close()

        return in_process.run(whole())

    async def run(self, inside, command, **arguments):
        return await inside.run(command, env=self.environment, **arguments)

    async def began(self, run):
        await until(lambda: run in self.keeper.held, f"{run} runs")

    def started(self, mission):
        """The runs of a mission that the keeper was asked for: their arguments and variables."""
        asked = self.keeper.asked["spawn"]
        return [(one["argv"], one["env"]) for one in asked if one["run"].startswith(f"{mission}.")]

    def files(self, mission):
        """The private files of a mission, by path."""
        top = f"{self.home.root}/files/{mission}"
        return {
            os.path.relpath(os.path.join(folder, name), top): read(os.path.join(folder, name))
            for folder, _, names in os.walk(top)
            for name in names
        }


@pytest.fixture
def story(tmp_path):
    return Story(tmp_path)


def read(path):
    with open(path, encoding="utf-8", newline="") as file:
        return file.read()


def notes_of(inside, mission):
    return [(event["run"], event["text"]) for event in inside.events(mission) if event["type"] == "notes_given"]


def instructions(story, run):
    """What a codex is told before its conversation."""
    start = json.loads(b"".join(story.keeper.typed[run]).splitlines()[-1])
    return start["params"]["developerInstructions"]


KINDS = [
    # what is run, the name of its conversation behind its id, what it is asked about
    pytest.param("fix it", {"provider": "claude"}, ".1", "fix it", id="a task"),
    pytest.param("wait", {"provider": "claude", "type": "session"}, "", "wait", id="a session"),
    pytest.param("", {"provider": "claude", "type": "session"}, "", None, id="a session that waits"),
    pytest.param("go", {"provider": "claude", "type": "session", "interactive": True}, "", "go", id="on a terminal"),
    pytest.param("fix it", {"provider": "codex"}, ".1", "fix it", id="codex"),
    pytest.param("aider", {"type": "session"}, "", None, id="a raw session"),
    pytest.param("make test", {"notes": "auto"}, ".1", "make test", id="a command that asks"),
]


@pytest.mark.parametrize(("command", "how", "conversation", "question"), KINDS)
def test_the_program_gets_it_by_private_files_and_the_log_says_so(story, command, how, conversation, question):
    async def work():
        async with story.supervisor() as inside:
            mission = await story.run(inside, command, **how)
            await until(lambda: inside.app.registry.live[mission].pid)
            types = inside.event_types(mission)
            return mission, notes_of(inside, mission), types

    mission, told, types = story.play(work)
    (request,) = story.memory.asked
    ((argv, environment),) = story.started(mission)
    text = story.memory.saved[f"{mission}{conversation}"].text
    assert (request.conversation, request.question) == (f"{mission}{conversation}", question)
    assert (request.mission.id, request.mission.run, request.is_new) == (mission, 1, True)
    assert request.injection is Injection.AUTO
    assert told == [(1, LINE)]
    assert types.index("notes_given") < types.index("started")
    assert "prompt" not in types or types.index("notes_given") < types.index("prompt")
    assert environment["OVERMIND_NOTES"] == f"{story.home.root}/files/{mission}/notes.md"
    files = story.files(mission)
    assert files.pop("notes.md") == text
    assert stat.S_IMODE(os.stat(environment["OVERMIND_NOTES"]).st_mode) == 0o600
    provider = how.get("provider", "raw")
    if provider == "claude":
        at = argv.index("--append-system-prompt-file")
        assert argv[at + 1] == f"{story.home.root}/files/{mission}/append-system-prompt"
        assert files.pop("append-system-prompt") == text
    if provider == "codex":
        assert instructions(story, f"{mission}.1") == text
    assert not files
    assert not any("notes>" in word for word in argv)
    assert not any(text.encode() in path.read_bytes() for path in Path(story.home.root).glob("state.db*"))


NOTHING = [
    pytest.param("true", {}, {}, id="a command"),
    pytest.param("true", {"notes": "auto"}, {"has_notes": False}, id="a command, and there is no note"),
    pytest.param(
        "go",
        {"provider": "claude", "agent": {"arguments": ["--append-system-prompt", "x"]}},
        {"has_notes": False},
        id="their place is taken, and there is no note",
    ),
    pytest.param("go", {"provider": "claude", "notes": "off"}, {}, id="none are wanted"),
    pytest.param("go", {"provider": "claude"}, {"injection": Injection.OFF}, id="the configuration wants none"),
    pytest.param("go", {"provider": "claude", "notes": "auto"}, {"is_on": False}, id="memory is off"),
]


@pytest.mark.parametrize(("command", "how", "memory"), NOTHING)
def test_where_nothing_is_wanted_nothing_is_asked_and_all_is_as_without_memory(story, command, how, memory):
    async def work(briefing):
        async with supervising(story.home, story.keeper, briefing=briefing) as inside:
            mission = await story.run(inside, command, **how)
            await until(lambda: inside.app.registry.live[mission].pid)
            is_command = inside.app.registry.live[mission].definition.provider == "raw"
            assert not (is_command and inside.app.agents.has_memory(mission))  # what it does is no episode
            return mission, inside.event_types(mission)

    async def both():
        return await work(remembered), await work(None)

    remembered = Remembered(**memory)
    (first, types), (second, plain) = story.play(both)
    assert remembered.asked == []
    assert types == plain
    ((argv, environment),), ((plain_argv, plain_environment),) = story.started(first), story.started(second)
    own = {"OVERMIND_MISSION_ID", "OVERMIND_MISSION_NAME"}
    assert {name: value for name, value in environment.items() if name not in own} == {
        name: value for name, value in plain_environment.items() if name not in own
    }
    assert [len(word) for word in argv] == [len(word) for word in plain_argv]
    assert story.files(first) == story.files(second) == {}


SHOWN = [
    ("fix it", {"provider": "claude"}, "", "auto"),
    ("fix it", {"provider": "claude", "notes": "pinned"}, "", "pinned"),
    ("fix it", {"provider": "claude", "notes": "off"}, "", "off"),
    ("bash", {"type": "session"}, "", "auto"),
    ("make", {"notes": "auto"}, "", "auto"),
    ("make", {}, "", None),
    ("fix it", {"provider": "claude"}, "hangs", None),
]


@pytest.mark.parametrize(("command", "how", "fault", "inject"), SHOWN)
def test_who_asks_about_a_mission_sees_its_notes(story, command, how, fault, inject):
    async def work():
        async with story.supervisor() as inside:
            mission = await story.run(inside, command, **how)
            story.memory.fault = fault
            first = (await inside.ask("info", id=mission))["notes"]
            story.memory.is_on = False
            return first, (await inside.ask("info", id=mission))["notes"]

    given = {"id": IDS[0], "kind": "gotcha", "why": "words", "text": "1"}
    notes = {"inject": inject, "given": [given], "tokens": 12, "left_out": 3, "wrote": [IDS[1]]}
    assert story.play(work) == (None if inject is None else notes, None)


def test_a_headless_run_has_no_memory(story):
    async def work():
        story.keeper.kill_after = 5.0
        async with story.supervisor() as inside:
            mission = await story.run(inside, "go", provider="claude", notes="auto")
            return mission, await inside.ask("info", id=mission)

    mission, info = story.play(work)
    assert (story.memory.asked, info["notes"], info["own_rules"]) == ([], None, [])
    assert story.files(mission) == {}


def test_a_person_says_which_notes(story):
    async def work():
        async with story.supervisor() as inside:
            await story.run(inside, "go", provider="claude", notes="pinned")

    story.play(work)
    assert [one.injection for one in story.memory.asked] == [Injection.PINNED]


@pytest.mark.parametrize(("fault", "why"), [("hangs", "took longer than 300 ms"), ("fails", "has failed")])
def test_memory_that_fails_stops_nothing_but_memory(story, fault, why):
    async def work():
        async with story.supervisor() as inside:
            story.memory.fault = fault
            before = asyncio.get_running_loop().time()
            mission = await story.run(inside, "go", provider="claude")
            took = asyncio.get_running_loop().time() - before
            return mission, took, notes_of(inside, mission), inside.events(mission)

    mission, took, told, events = story.play(work)
    ((argv, environment),) = story.started(mission)
    assert took < 0.4
    assert len(told) == 1
    assert told[0][1].startswith("[memory] no notes: the search ")
    assert why in told[0][1]
    (event,) = [one for one in events if one["type"] == "notes_given"]
    assert (event["notes"], event["tokens"], event["left_out"]) == ([], 0, 0)
    assert story.memory.refused == [f"{mission}.1"]
    assert "OVERMIND_NOTES" not in environment
    assert not any("append" in word for word in argv)
    assert story.files(mission) == {}


def test_where_there_is_no_note_nothing_is_said_of_a_search_that_found_no_end(story):
    async def work():
        async with story.supervisor() as inside:
            story.memory.fault, story.memory.has_notes = "hangs", False
            mission = await story.run(inside, "go", provider="claude")
            return mission, notes_of(inside, mission), inside.events(mission)

    mission, told, events = story.play(work)
    assert (told, [one for one in events if one["type"] == "notes_given"]) == ([], [])
    assert len(story.memory.asked) == 1
    assert story.files(mission) == {}


def test_a_persons_own_addition_among_the_arguments_takes_the_place_of_notes(story):
    async def work():
        async with story.supervisor() as inside:
            agent = {"arguments": ["--append-system-prompt", "Speak Latin."]}
            mission = await story.run(inside, "go", provider="claude", agent=agent)
            return mission, notes_of(inside, mission)

    mission, told = story.play(work)
    ((argv, environment),) = story.started(mission)
    assert told == [(1, "[memory] no notes: --agent-arg --append-system-prompt takes their place")]
    assert argv[-2:] == ("--append-system-prompt", "Speak Latin.")
    assert (story.memory.asked, story.files(mission)) == ([], {})
    assert "OVERMIND_NOTES" not in environment


def test_a_session_goes_on_with_the_same_bytes_over_restarts_a_terminal_and_supervisors(story):
    async def work():
        async with story.supervisor() as inside:
            mission = await story.run(inside, "begin", provider="claude", type="session", restart="always", backoff=1)
            agent = inside.app.agents.of(mission)
            await until(lambda: agent.state.running == 1)
            agent.receive(SessionNamed(agent.state.session, "m"))
            agent.receive(TurnBegan())
            agent.receive(TurnEnded(TurnResult(ok=True)))
            story.keeper.exit(f"{mission}.1", 1)
            await until(lambda: agent.state.running == 2)
            agent.apply(ModeWanted(AgentMode.INTERACTIVE))
            await until(lambda: agent.state.leaving)
            story.keeper.exit(f"{mission}.2", 0)
            await until(lambda: agent.state.running == 3)
        async with story.supervisor() as inside:
            story.keeper.exit(f"{mission}.3", 0)
            agent = inside.app.agents.of(mission)
            await until(lambda: agent.state.running == 4)
            return mission, agent.state.mode, notes_of(inside, mission)

    mission, mode, told = story.play(work)
    (given,) = story.memory.saved.values()
    assert [request.conversation for request in story.memory.asked] == [mission] * 4
    assert [request.is_new for request in story.memory.asked] == [True, False, False, False]
    assert mode is AgentMode.HEADLESS
    assert told == [(number, LINE) for number in (1, 2, 3, 4)]
    for argv, _ in story.started(mission):
        assert argv[argv.index("--append-system-prompt-file") + 1].endswith(f"{mission}/append-system-prompt")
    assert story.files(mission) == {"notes.md": given.text, "append-system-prompt": given.text}


def test_a_run_that_goes_on_without_notes_as_memory_was_slow_takes_them_from_nobody_after_it(story):
    async def work():
        async with story.supervisor() as inside:
            mission = await story.run(inside, "begin", provider="claude", type="session")
            agent = inside.app.agents.of(mission)
            seen = []
            for number, fault in ((1, "hangs"), (2, "")):
                agent.receive(SessionNamed(agent.state.session, "m"))
                agent.receive(TurnBegan())
                agent.receive(TurnEnded(TurnResult(ok=True)))
                story.memory.fault = fault
                asked = asyncio.ensure_future(inside.ask("restart", id=mission))
                await until(lambda: inside.app.registry.live[mission].ending)
                story.keeper.exit(f"{mission}.{number}", 143)
                await asked
                seen.append(story.files(mission).get("notes.md"))
            return mission, seen

    mission, seen = story.play(work)
    assert story.memory.refused == []
    assert seen == [None, story.memory.saved[mission].text]


def test_a_task_that_is_started_again_is_given_another_choice_and_nothing_of_the_one_before(story):
    async def work():
        async with story.supervisor() as inside:
            mission = await story.run(inside, "go", provider="claude")
            seen = []
            for number, fault in ((1, ""), (2, "fails")):
                seen.append(story.files(mission)["notes.md"])
                story.memory.fault = fault
                asked = asyncio.ensure_future(inside.ask("restart", id=mission))
                await until(lambda: inside.app.registry.live[mission].ending)
                story.keeper.exit(f"{mission}.{number}", 143)
                await asked
            seen.append(story.files(mission).get("notes.md"))
            return mission, seen

    mission, seen = story.play(work)
    assert [one.conversation for one in story.memory.asked] == [f"{mission}.{number}" for number in (1, 2, 3)]
    assert seen == [story.memory.saved[f"{mission}.1"].text, story.memory.saved[f"{mission}.2"].text, None]
    assert ["OVERMIND_NOTES" in environment for _, environment in story.started(mission)] == [True, True, False]


def test_a_codex_whose_supervisor_died_at_its_start_is_given_what_was_chosen_for_it(story):
    async def work():
        story.keeper.silent.add("spawn")
        async with story.supervisor() as inside:
            starting = asyncio.ensure_future(story.run(inside, "fix it", provider="codex"))
            await until(lambda: story.keeper.held)
            starting.cancel()
        (run,) = story.keeper.held
        async with story.supervisor():
            await until(lambda: story.keeper.typed[run])
        return run

    run = story.play(work)
    text = story.memory.saved[run].text
    assert instructions(story, run) == text
    assert len(story.memory.asked) == 1


INTERRUPTIONS = ["nothing", "its supervisor dies", "its notes are purged", "its program dies"]


@pytest.mark.parametrize("between", INTERRUPTIONS)
def test_an_agent_that_takes_no_instructions_has_its_notes_once_before_the_first_words_of_its_conversation(
    story, between
):
    async def opened(run):
        await story.began(run)
        able = {"protocolVersion": 1, "agentCapabilities": {"sessionCapabilities": {"resume": {}}}}
        for name, result in (("open", able), ("session", {"sessionId": "s"})):
            story.keeper.write(run, json.dumps({"id": name, "result": result}).encode() + b"\n")

    async def said(inside, mission, run, text):
        before = len(messages(story, run))
        await inside.ask("send", id=mission, text=text)
        await until(lambda: len(messages(story, run)) > before, text)
        reply = {"id": messages(story, run)[-1]["id"], "result": {"stopReason": "end_turn"}}
        story.keeper.write(run, json.dumps(reply).encode() + b"\n")
        agent = inside.app.agents.of(mission)
        await until(lambda: agent.state.begun and not agent.state.turn, "it is answered")

    async def work():
        async with story.supervisor() as inside:
            how = {"provider": "opencode", "type": "session", "restart": "always", "backoff": 1}
            mission = await story.run(inside, "", **how, agent={"append_system_prompt": "Be brief."})
            await opened(f"{mission}.1")
            await until(lambda: not inside.app.agents.of(mission).state.opening)
            if between == "its program dies":
                story.keeper.exit(f"{mission}.1", 1)
                await opened(f"{mission}.2")
        if between == "its notes are purged":
            os.unlink(f"{story.home.root}/files/{mission}/notes.md")
        async with story.supervisor() as inside:
            run = f"{mission}.{2 if between == 'its program dies' else 1}"
            for text in ("first", "second"):
                await said(inside, mission, run, text)
            story.keeper.exit(run, 1)
            again = f"{mission}.{3 if between == 'its program dies' else 2}"
            await opened(again)
            await said(inside, mission, again, "third")
            return mission, messages(story, run), messages(story, again)

    mission, first, then = story.play(work)
    notes, asked = story.memory.saved[mission].text, "<instructions>\nBe brief.\n</instructions>\n"
    given = [asked] if between == "its notes are purged" else [notes, asked]
    assert [texts(one) for one in (*first, *then)] == [[*given, "first"], ["second"], ["third"]]
    assert not any(notes.encode() in path.read_bytes() for path in Path(story.home.root).glob("state.db*"))


def messages(story, run):
    """What a run was given to answer over the Agent Client Protocol."""
    lines = b"".join(story.keeper.typed[run]).splitlines()
    return [one for one in map(json.loads, lines) if one.get("method") == "session/prompt"]


def texts(message):
    return [block["text"] for block in message["params"]["prompt"]]


def test_a_task_over_the_agent_client_protocol_has_its_notes_before_its_prompt(story):
    async def work():
        async with story.supervisor() as inside:
            mission = await story.run(inside, "fix it", provider="opencode")
            await story.began(f"{mission}.1")
            for name, result in (("open", {"protocolVersion": 1}), ("session", {"sessionId": "s"})):
                story.keeper.write(f"{mission}.1", json.dumps({"id": name, "result": result}).encode() + b"\n")
            await until(lambda: messages(story, f"{mission}.1"))
            prompts = [event["text"] for event in inside.events(mission) if event["type"] == "prompt"]
            return mission, prompts, notes_of(inside, mission)

    mission, prompts, told = story.play(work)
    (message,) = messages(story, f"{mission}.1")
    assert texts(message) == [story.memory.saved[f"{mission}.1"].text, "fix it"]
    assert (prompts, told) == (["[human] fix it"], [(1, LINE)])


QUESTS = [
    ({"command": "make"}, True),
    ({"command": "make", "notes": "off"}, False),
    ({"provider": "claude"}, True),
]


@pytest.mark.parametrize(("how", "is_given"), QUESTS)
def test_a_quest_reads_what_fits_its_title_and_brief_in_its_own_folder(story, how, is_given):
    async def work():
        async with story.supervisor() as inside:
            quest = {"title": "Fix it", "brief": "It **fails**.", "retries": 1, **how}
            added = await inside.ask("quest_add", quests=[quest], cwd="/", env=story.environment)
            mission = added["quests"][0]["id"]
            texts = []
            for number in (1, 2):
                await story.began(f"{mission}.{number}")
                texts.append(story.files(mission).get("in/notes.md"))
                story.keeper.exit(f"{mission}.{number}", 1)
            await until(lambda: mission not in inside.app.quest_registry.live)
            return mission, texts

    mission, texts = story.play(work)
    runs = [f"{mission}.1", f"{mission}.2"] if is_given else []
    assert [(one.conversation, one.question) for one in story.memory.asked] == [
        (run, "Fix it\n\nIt **fails**.") for run in runs
    ]
    assert texts == ([story.memory.saved[run].text for run in runs] or [None, None])
    paths = [environment.get("OVERMIND_NOTES") for _, environment in story.started(mission)]
    folder = f"{story.home.root}/files/{mission}/in"
    assert paths == ([f"{folder}/notes.md"] * 2 if is_given else [None, None])


BASH, RECALL = "Bash", "mcp__overmind__recall"
ASKING = [
    # tool, command, rules that deny, notes, who answers: nobody, where a person has to
    (BASH, "overmind remember 'redis first'", [], None, "rule memory"),
    (RECALL, "", [], None, "rule memory"),
    (BASH, "overmind remember x; rm x", [], None, None),
    (BASH, "the title: overmind remember x", [], None, None),
    (BASH, "overmind remember x", ["Bash(overmind:*)"], None, "rule Bash(overmind:*)"),
    (RECALL, "", [RECALL], None, f"rule {RECALL}"),
    ("mcp__overmind__stop", "", [], None, None),
    (BASH, "overmind remember x", [], "off", None),
    (RECALL, "", [], "off", None),
]


@pytest.mark.parametrize(("tool", "command", "deny", "notes", "by"), ASKING)
def test_an_agent_with_memory_uses_notes_unasked_and_a_denial_wins(story, tool, command, deny, notes, by):
    async def work():
        async with story.supervisor() as inside:
            how = {"agent": {"deny": deny}, **({"notes": notes} if notes else {})}
            mission = await story.run(inside, "", provider="claude", type="session", **how)
            agent = inside.app.agents.of(mission)
            await until(lambda: agent.state.running)
            agent.receive(TurnBegan())
            whole = command.removeprefix("the title: ")
            subject = {"command": whole, **({TITLE_ONLY: True} if whole != command else {})}
            agent.receive(Asked("r1", AgentNeed.PERMISSION, tool, "x", subject, ()))
            answered = [event["by"] for event in inside.events(mission) if event["type"] == "answered"]
            return answered, (await inside.ask("info", id=mission))["own_rules"]

    answered, own_rules = story.play(work)
    assert answered == ([] if by is None else [by])
    assert own_rules == ([] if notes else ["memory"])


def test_a_run_that_never_begins_was_given_nothing(story):
    def refuse(_fields):
        raise KeeperRefused({"error": "spawn_failed", "message": "no memory"})

    async def work():
        async with story.supervisor() as inside:
            with pytest.raises(OvermindError):
                await inside.run("go", provider="claude", env={"PATH": "/nowhere"})
            story.keeper.on_ask["spawn"] = refuse
            with pytest.raises(OvermindError):
                await story.run(inside, "go", provider="claude")
            del story.keeper.on_ask["spawn"]
            return await story.run(inside, "go", provider="claude")

    runs = story.play(work)
    first, second, third = dict.fromkeys(one.mission.id for one in story.memory.asked)
    assert dict.fromkeys(story.memory.withdrawn) == dict.fromkeys([(first, 1), (second, 1)])
    assert third == runs


def test_the_log_says_once_what_a_run_was_given_whose_supervisor_died_before_it_began(story):
    async def work():
        story.keeper.silent.add("spawn")
        story.keeper.on_ask["spawn"] = lambda asked: story.keeper.held.pop(asked["run"])
        async with story.supervisor() as inside:
            starting = asyncio.ensure_future(story.run(inside, "fix it", provider="claude"))
            await until(lambda: any(notes_of(inside, one) for one in inside.app.registry.live))
            (mission,) = inside.app.registry.live
            starting.cancel()
        del story.keeper.on_ask["spawn"]
        story.keeper.silent.clear()
        async with story.supervisor() as inside:
            await story.began(f"{mission}.1")
            await until(lambda: inside.app.registry.live[mission].pid)
            return notes_of(inside, mission)

    assert story.play(work) == [(1, LINE)]
    assert not story.memory.withdrawn
