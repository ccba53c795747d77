"""A conversation that a program tells again as it opens it: what it says then is old, and its file is spared."""

from __future__ import annotations

import asyncio
import errno
import json
import os

import pytest

from overmind_core.agents.output_reader import QUIET
from overmind_core.errors import OvermindError
from overmind_core.providers import registry
from overmind_core.system.paths import Home
from tests.kit import in_process
from tests.kit.in_process import ScriptedKeeper, supervising, until, world

SESSION = "70b32192-5be0-494e-afb0-9e6ae7eccd52"
OPEN = {"id": "open", "result": {"protocolVersion": 1, "agentCapabilities": {"loadSession": True}}}
LOADED = {"id": "session", "result": {"modes": {"currentModeId": "default", "availableModes": [{"id": "default"}]}}}
CHATS = "home/.gemini/tmp/shop/chats"
OF_IT = {"sessionId": SESSION}


def told(kind, words):
    update = {"sessionUpdate": kind, "content": {"type": "text", "text": words}}
    return {"method": "session/update", "params": {"sessionId": SESSION, "update": update}}


def lines(*messages):
    return b"".join(json.dumps(one).encode() + b"\n" for one in messages)


def asked(keeper, run):
    return [json.loads(line) for line in b"".join(keeper.typed[run]).splitlines()]


def adopt(daemon, tmp_path):
    environment = world(str(tmp_path), "gemini")
    environment["HOME"] = str(tmp_path / "home")
    return daemon.run("", provider="gemini", type="session", env=environment, conversation={"id": SESSION})


def test_the_first_message_waits_until_all_is_told_also_where_the_supervisor_dies_meanwhile(tmp_path):
    home = Home(str(tmp_path / "om"))

    async def story():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as first:
            mission = await adopt(first, tmp_path)
            run = f"{mission}.1"
            number = (await first.ask("send", id=mission, text="new words"))["message"]
            keeper.write(run, lines(OPEN, LOADED))
            for words in ("hi", "there"):
                keeper.write(run, lines(told("user_message_chunk", words), told("agent_message_chunk", "old words")))
                await asyncio.sleep(QUIET / 2)
            assert [one["method"] for one in asked(keeper, run)] == ["initialize", "session/load"]
        async with supervising(home, keeper) as second:
            await until(lambda: len(asked(keeper, run)) > 2)
            keeper.write(run, lines({"id": "told", "result": {}}))
            await until(lambda: asked(keeper, run)[-1]["method"] == "session/prompt")
            prompt = asked(keeper, run)[-1]
            keeper.write(run, lines(told("agent_message_chunk", "an answer")))
            keeper.write(run, lines({"id": prompt["id"], "result": {"stopReason": "end_turn"}}))
            answered = await second.ask("await_message", message=number, until="answered", timeout=60_000)
        assert (answered["state"], answered["text"]) == ("answered", "an answer")
        keeper.close()

    in_process.run(story())


def test_whoever_reads_the_log_is_told_nothing_twice():
    """Its renderer hears the output alone."""
    transcript = registry.get("gemini").renderer()
    before = [told("user_message_chunk", "hi"), told("agent_message_chunk", "old words")]
    answer = [told("agent_message_chunk", "new\n"), {"id": "m1", "result": {"stopReason": "end_turn"}}]
    loaded = lines(OPEN, before[0], LOADED, *before, {"id": "told", "result": {}}, *answer)
    assert [shown for line in loaded.splitlines() for shown in transcript.feed(line)][:1] == ["new"]
    short = lines(OPEN, before[0], {"id": "session", "result": {}}, *answer)  # it has no mode to ask for
    transcript = registry.get("gemini").renderer()
    assert [shown for line in short.splitlines() for shown in transcript.feed(line)][:1] == ["new"]
    began = {"id": "session", "result": {"sessionId": SESSION}}
    transcript = registry.get("gemini").renderer()
    begun = lines(OPEN, began, *answer)
    assert [shown for line in begun.splitlines() for shown in transcript.feed(line)][:1] == ["new"]


def write(tmp_path, name, *messages):
    path = tmp_path / CHATS / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(lines(*messages))


OWN, EMPTY, SPARED = (f"session-2026-12-01T10-{end}.jsonl" for end in ("00-70b32192", "07-70b32192", "00-e7eccd52"))
PIPE = "session-2026-12-01T09-00-70b32192.jsonl"
SAID = {"id": "1", "type": "gemini", "content": "yes"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({OWN: (OF_IT, SAID)}, {SPARED}),
        ({OWN: (OF_IT, SAID), EMPTY: (OF_IT,)}, {SPARED, EMPTY}),
        ({SPARED: (OF_IT, SAID), EMPTY: (OF_IT,)}, {SPARED, EMPTY}),
        ({OWN: ({"sessionId": "70b32192-another"}, SAID)}, {OWN}),
        ({OWN: ()}, {OWN}),
    ],
    ids=["its own", "beside an empty one", "once more", "another's", "empty"],
)
def test_its_file_is_called_otherwise_before_it_is_opened(tmp_path, before, after):
    for name, messages in before.items():
        write(tmp_path, name, *messages)
    os.mkfifo(tmp_path / CHATS / PIPE)
    home = Home(str(tmp_path / "om"))

    async def story():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as daemon:
            await adopt(daemon, tmp_path)
        keeper.close()

    in_process.run(story())
    assert set(os.listdir(tmp_path / CHATS)) == {*after, PIPE}


def test_one_whose_file_can_not_be_called_otherwise_is_not_opened(tmp_path, monkeypatch):
    write(tmp_path, OWN, OF_IT, SAID)

    def refuse(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("overmind_core.agents.launch.os.rename", refuse)
    home = Home(str(tmp_path / "om"))

    async def story():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as daemon:
            with pytest.raises(OvermindError, match="can't be renamed, and would be lost: Permission denied"):
                await adopt(daemon, tmp_path)
            assert not keeper.asked["spawn"]
        keeper.close()

    in_process.run(story())
