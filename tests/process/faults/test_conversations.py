"""Agents are talked to by many at once while their supervisor, or they themselves, are killed at random moments.

No message is lost and none is sent twice, but for the one that an agent died with; one process writes a conversation;
every turn is paid for once.
"""

from __future__ import annotations

import json
import os
import signal
import time

import pytest

from tests.kit import torture
from tests.kit.killing import await_another

pytestmark = [pytest.mark.torture, pytest.mark.linux]
ENDS = torture.portion(8)
"""Sessions that begin and end while the supervisor is killed."""
POLICY = ("--restart", "always", "--max-restarts", "0", "--backoff", "1ms")


def test_the_supervisor_is_killed_around_the_begin_and_the_end_of_sessions(agents, moments):
    agents.om.ok("start")
    for number in range(ENDS):
        words = ("run", "--json", "--type", "session", "--provider", "claude", *POLICY, "--", f"first {number}")
        client = agents.om.popen(*words)
        time.sleep(moments.random() * 0.5)
        kill_and_revive(agents.om)
        mission = json.loads(client.communicate(timeout=60)[0])["id"]
        (first,) = agents.messages(mission)
        assert agents.answer(first["message"])["text"] == f"echo: first {number}"
        assert agents.heard(mission) == [f"first {number}"]
        messages = [agents.post(mission, text) for text in ("!sleep 60", "next")]
        ending = agents.om.popen(moments.choice(["stop", "kill"]), mission)
        time.sleep(moments.random() * 0.3)
        kill_and_revive(agents.om)
        assert ending.wait(timeout=60) == 0
        for message in messages:
            assert agents.answer(message)["state"] == "failed"
        assert agents.om.json("inbox", "--json") == []


def kill_and_revive(om):
    """Kill the supervisor, and wait for the next one."""
    old = om.supervisor_pid()
    os.kill(old, signal.SIGKILL)
    om.ok("start")
    await_another(om, old)


def stop(senders):
    """End all senders; return everything that was sent."""
    for sender in senders:
        sender.end()
    return {number: one for sender in senders for number, one in sender.sent.items()}
