"""Sessions over JSON-RPC whose supervisor, or whose program, is killed at random moments: see `test_conversations`."""

from __future__ import annotations

import os
import signal
from collections import Counter
from functools import partial
from pathlib import Path

import pytest

from tests.kit import torture
from tests.kit.killing import kill_supervisor
from tests.kit.overmind import FINAL
from tests.kit.processes import with_variable
from tests.kit.rpc import AcpAgents, CodexAgents
from tests.kit.waiting import eventually

pytestmark = [pytest.mark.torture, pytest.mark.linux]
SESSIONS = torture.portion(5, part=5)
KILLS = 10
"""Of each session; the pause before its next run grows with them."""
POLICY = ("--restart", "always", "--max-restarts", "0", "--backoff", "1ms")


@pytest.mark.parametrize("provider", ["opencode", "copilot", "codex"])
def test_no_message_is_lost_and_no_question_is_answered_twice(om, tmp_path, moments, provider):
    folder = str(tmp_path / "agents")
    agents = CodexAgents(om, folder) if provider == "codex" else AcpAgents(om, folder, provider)
    for name in range(SESSIONS):
        mission = agents.session(*POLICY, "--name", f"s{name}")
        ran = f"{agents.work}/ran{name}"
        killed_with, numbers = set(), []
        for number in range(KILLS):
            text = f"!bash echo {number} >> {ran}" if moments.random() < 0.5 else f"say {number}"
            numbers.append(agents.post(mission, text)["message"])
            if moments.random() < 0.5:
                eventually(partial(is_on_its_way, agents, mission, numbers[-1]), what=f"{text} is delivered")
            if moments.random() < 0.5:
                kill_supervisor(om)
            elif (pid := om.info(mission)["os_pid"]) is not None:
                os.kill(pid, signal.SIGKILL)
                killed_with.add(number)
            eventually(partial(settled, agents, mission, numbers[-1]), what=f"{text} is answered")
        agents.doing(mission, "idle")
        assert om.json("inbox", "--json") == []
        states = {one["message"]: one["state"] for one in agents.messages(mission)}
        assert Counter(states[one] for one in numbers) == {"answered": KILLS}
        lines = Path(ran).read_text(encoding="utf-8").split() if os.path.exists(ran) else []
        assert {int(line) for line, count in Counter(lines).items() if count > 1} <= killed_with
        om.ok("stop", mission)
        om.wait_status(mission, *FINAL)
        assert not with_variable("OVERMIND_MISSION_ID", mission)


def is_on_its_way(agents, mission, message):
    """Whether a message is no longer in the queue."""
    return next(one["state"] for one in agents.messages(mission) if one["message"] == message) != "queued"


def settled(agents, mission, message):
    """Whether a message has its answer; what is asked meanwhile is allowed."""
    if agents.om.json("inbox", "--json"):
        agents.om("answer", mission, "allow")
    return next(one["state"] for one in agents.messages(mission) if one["message"] == message) in {"answered", "failed"}
