"""An agent and its supervisor killed again and again amid turns and questions, and what has become of all that then."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.kit.agents import Agents
from tests.kit.killing import await_another
from tests.kit.processes import of_home
from tests.kit.waiting import eventually

POLICY = ("--restart", "always", "--max-restarts", "0", "--backoff", "0")
ENDED = frozenset({"answered", "failed", "cancelled"})
VICTIMS = ("agent", "agent", "supervisor", "both")
"""Who is killed: one of these each time."""
LONGEST = 1.0
"""Seconds from the second message of a round to the kill, at most."""


@dataclass
class Outcome:
    """What was counted after all kills."""

    kills: Counter[str] = field(default_factory=Counter)
    """By who was killed."""
    messages: int = 0
    answered: int = 0
    resent: int = 0
    given_up: int = 0
    """Failed after they were sent a second time, as a message may: its agent was killed twice with it."""
    lost: list[str] = field(default_factory=list)
    """Neither answered nor given up, or answered by another one's answer."""
    answered_twice: list[str] = field(default_factory=list)
    forgotten: int = 0
    """Answered, and not in the conversation that its program goes on with: it was killed before it had stored them."""
    heard_too_often: list[str] = field(default_factory=list)
    """More often in the conversation than they were sent."""
    questions: int = 0
    open_questions: int = 0
    """In the inbox though nothing waits for their answer."""
    processes: list[str] = field(default_factory=list)
    """Left once the mission was killed."""

    @property
    def faults(self) -> dict[str, Any]:
        """What must not be: empty where all held."""
        names = ("lost", "answered_twice", "heard_too_often", "open_questions", "processes")
        return {name: found for name in names if (found := getattr(self, name))}


def kill_in_rounds(
    agents: Agents, chance: random.Random, rounds: int, *options: str, victims: tuple[str, ...] = VICTIMS
) -> Outcome:
    """Send an agent two messages a round, of which some ask, kill who is named by chance, and count at the end."""
    outcome = Outcome()
    mission = agents.session(*POLICY, *options)
    texts: dict[int, str] = {}
    for number in range(rounds):
        words = [f"word-{number:03}-{which}" for which in "ab"]
        for word in words:
            text = f"!bash touch made; sleep 0.3; echo {word}" if chance.random() < 0.5 else word
            texts[agents.post(mission, text)["message"]] = word
        outcome.questions += _answer_all(agents, mission) if chance.random() < 0.5 else 0
        time.sleep(chance.random() * LONGEST)  # the moment itself is the experiment
        _kill(agents, mission, chance.choice(victims), outcome)
        outcome.questions += _until_ended(agents, mission, list(texts)[-2:])
    agents.doing(mission, "idle")
    _judge(agents, mission, texts, outcome)
    agents.om.ok("kill", mission)
    eventually(lambda: not _left(agents), timeout=agents.patience, what="all its processes are gone")
    outcome.processes = _left(agents)
    return outcome


def _kill(agents: Agents, mission: str, victim: str, outcome: Outcome) -> None:
    om = agents.om
    pid, supervisor = om.info(mission)["os_pid"], om.supervisor_pid()
    if victim != "agent":
        os.kill(supervisor, signal.SIGKILL)
    if victim != "supervisor" and pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
    if victim != "agent":
        om.ok("start")
        await_another(om, supervisor)
    outcome.kills[victim] += 1


def _until_ended(agents: Agents, mission: str, numbers: list[int]) -> int:
    """Allow what is asked until these have ended; return how often."""
    allowed = 0

    def look() -> bool:
        nonlocal allowed
        allowed += _answer_all(agents, mission)
        return all(one["state"] in ENDED for one in agents.messages(mission) if one["message"] in numbers)

    eventually(look, timeout=4 * agents.patience, what=f"messages {numbers} have ended")
    return allowed


def _answer_all(agents: Agents, mission: str) -> int:
    asked = [one["question"] for one in agents.om.api("inbox") if one["id"] == mission]
    return sum(agents.om("answer", str(one), "allow").returncode == 0 for one in asked)


def _judge(agents: Agents, mission: str, texts: dict[int, str], outcome: Outcome) -> None:
    outcome.open_questions = len(agents.om.api("inbox"))
    rows = {one["message"]: one for one in agents.messages(mission)}
    told = Counter(event["message"] for event in agents.events(mission, "message_answered"))
    history = agents.say(mission, "!history")
    for number, word in texts.items():
        row = rows.get(number)
        outcome.messages += 1
        outcome.resent += bool(row and row["resent"])
        if row is None:
            outcome.lost.append(f"{word}: it is not known")
        elif row["state"] == "answered":
            outcome.answered += 1
            answer = agents.answer({"message": number})["text"]
            if word not in answer:
                outcome.lost.append(f"{word}: answered {answer!r}")
        elif row["state"] == "failed" and row["resent"]:
            outcome.given_up += 1
        else:
            outcome.lost.append(f"{word}: {row['state']} ({row['error']})")
        if told[number] > 1:
            outcome.answered_twice.append(f"{word}: {told[number]} times")
        heard = history.count(word)
        outcome.forgotten += row is not None and row["state"] == "answered" and not heard
        if heard > 1 + bool(row and row["resent"]):
            outcome.heard_too_often.append(f"{word}: {heard} times")


def _left(agents: Agents) -> list[str]:
    return [one for one in of_home(agents.om.home) if "overmind_core" not in one and "tests.kit.fork_server" not in one]
