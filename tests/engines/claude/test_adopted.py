"""A conversation that a person has led with the program alone goes on as a mission."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from functools import partial

import pytest

from tests.kit import reported_cost as true_cost
from tests.kit.overmind import FINAL
from tests.kit.processes import with_variable, with_word
from tests.kit.waiting import eventually

pytestmark = [pytest.mark.claude, pytest.mark.linux]


@pytest.mark.proves("adopt")
def test_a_kept_conversation_goes_on_and_its_earlier_cost_is_not_counted(agents, api):
    om = agents.om
    earlier = agents.session(prompt="the first words")
    agents.answer(1)
    om.ok("stop", earlier)
    (kept,) = om.json("adopt", "--json", cwd=agents.work)
    assert (kept["provider"], kept["title"], kept["pid"]) == ("claude", "the first words", None)
    assert om.ok("adopt", kept["session"][:8], "--name", "adopted", cwd=agents.work).startswith("Adopted conversation ")
    assert agents.say("adopted", "!history").startswith("history: n=2 | the first words | ")
    info = om.info("adopted")
    assert (info["session_id"], info["turns"]) == (kept["session"], 1)
    true_cost.assert_known(om, info["id"], true_cost.by_turns(om, info["id"]))
    lines = om.logs("adopted").splitlines()
    assert lines[:2] == [f"--- goes on with conversation {kept['session']} ---", "[before] [human] the first words"]
    assert info["id"] in om.refused("adopt", kept["session"], cwd=agents.work, code="busy")
    assert info["id"] in om.refused("restart", earlier, code="busy")
    assert om.info(earlier)["status"] == "stopped"


def test_a_conversation_that_is_gone_is_not_begun_again(agents):
    unknown = "00000000-0000-4000-8000-000000000000"
    request = {"command": "", "cwd": agents.work, "provider": "claude", "type": "session",
               "env": agents.om.environment, "conversation": {"id": unknown}}  # fmt: skip
    agents.om.ok("start")
    info = agents.om.wait_status(agents.om.api("run", **request)["id"], *FINAL)
    assert (info["status"], info["reason"]) == ("crashed", "wrong_start")


def test_a_background_session_is_listed_with_its_state_and_is_free_once_it_was_stopped(agents, world):
    om = agents.om

    def claude(*words):
        return subprocess.run(
            [world.program, *words], env=om.environment | world.environment, cwd=world.work, check=True,
            capture_output=True, text=True, stdin=subprocess.DEVNULL,
        ).stdout  # fmt: skip

    def idle():
        return next((one for one in om.json("adopt", "--json", cwd=world.work) if one["state"] == "idle"), None)

    claude("--bg", "the first words")
    try:
        kept = eventually(idle, timeout=60, what="its turn is over")
        refused = om.refused("adopt", kept["session"], cwd=world.work, code="busy")
        assert f"claude stop {kept['background']}" in refused
        assert kept["session"].startswith(kept["background"])
        claude("stop", kept["background"])
        eventually(lambda: om.json("adopt", "--json", cwd=world.work)[0]["pid"] is None, what="nobody leads it")
        om.ok("adopt", kept["session"], "--name", "adopted", cwd=world.work)
        assert agents.say("adopted", "!history").startswith("history: n=2 | the first words | ")
    finally:
        claude("daemon", "stop", "--any")
        eventually(partial(end_spares, world.environment["HOME"]), timeout=30, what="its daemon and spares are gone")


def end_spares(home: str) -> bool:
    """Kill its spare terminals, which outlive its daemon for a while; return whether neither they nor it are left."""
    ours = {*with_variable("HOME", home)}
    spares = ours & {*with_word("--bg-spare"), *with_word("--bg-pty-host")}
    for pid in spares:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return not spares and not ours & {*with_word("--spawned-by")}
