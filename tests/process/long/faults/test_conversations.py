"""Agents are talked to by many at once while their supervisor, or they themselves, are killed at random moments.

No message is lost and none is sent twice, but for the one that an agent died with; one process writes a conversation;
every turn is paid for once.
"""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
from collections import Counter

import pytest

from overmind_core.providers.claude.prices import price
from tests.kit import torture
from tests.kit.raw_socket import RawSocket
from tests.kit.waiting import eventually
from tests.process.faults.test_conversations import POLICY, kill_and_revive, stop

pytestmark = [pytest.mark.torture, pytest.mark.linux]
SESSIONS = 5
SENDERS = 4
PARTS = torture.portion(4)
SUPERVISORS = 25 if torture.WHOLE else 10
"""Killed in each part."""
AGENTS = torture.portion(20)
"""Killed, one after the other."""
PAUSE = 0.15
"""Seconds, on average, between two messages of one sender."""
KINDS = {"{}": "echo: {}", "!slow 0.2 {}": "echo: {}", "!bash echo {}": "tool said: {}"}
"""What is sent, and what is answered."""
GONE = "0"
"""What the kernel says is the parent of a process that it is taking away."""
TURN = {"type": "system", "subtype": "init"}
"""How a turn begins in the log of an agent."""


class Sender(threading.Thread):
    """Sends to any of the sessions until it is told to stop, as the command line does: again until there is an answer.

    Attributes:
        sent: Number of the message → session, text, expected answer.
    """

    def __init__(self, home, missions, seed, name):
        super().__init__(name=name)
        self._home = home
        self._missions = missions
        self._chance = random.Random(seed)
        self._stop_asked = threading.Event()
        self.sent = {}
        self.failure = None

    def run(self):
        try:
            while not self._stop_asked.wait(self._chance.random() * 2 * PAUSE):
                self._send_one()
        except BaseException as error:  # noqa: BLE001 - told by `end`
            self.failure = error

    def end(self):
        """Stop, and wait until the last message was accepted."""
        self._stop_asked.set()
        self.join(60)
        assert self.failure is None, self.failure
        assert not self.is_alive()

    def _send_one(self):
        mission = self._chance.choice(self._missions)
        word = f"{self.name}-{len(self.sent)}"
        template = self._chance.choice(list(KINDS))
        request = f"{self._chance.getrandbits(128):032x}"
        answer = self._until_accepted(id=mission, text=template.format(word), request=request)
        assert answer["message"] not in self.sent, "two messages became one"
        self.sent[answer["message"]] = (mission, template.format(word), KINDS[template].format(word))

    def _until_accepted(self, **message):
        deadline = time.monotonic() + 30
        while True:
            try:
                with RawSocket.connect(self._home, timeout=5) as api:
                    return api.ok("send", **message)
            except (OSError, EOFError):
                assert time.monotonic() < deadline, "nobody takes a message"
                time.sleep(0.01)


class Watch(threading.Thread):
    """Looks all the time at who runs a conversation.

    Attributes:
        most: Conversation → the most processes that were seen at once.
    """

    def __init__(self, sessions):
        super().__init__()
        self._sessions = [session.encode() for session in sessions]
        self._stop_asked = threading.Event()
        self.most: Counter[bytes] = Counter()
        self.looks = 0

    def run(self):
        while not self._stop_asked.wait(0.005):
            self.looks += 1
            commands = {pid: _read(f"/proc/{pid}/cmdline") for pid in os.listdir("/proc") if pid.isdigit()}
            for session in self._sessions:
                found = {pid for pid, command in commands.items() if session in command}
                self.most[session] = max(self.most[session], len(_without_children(found)))

    def end(self):
        """Stop looking."""
        self._stop_asked.set()
        self.join()


@pytest.fixture
def crowd(agents, moments):
    """Sessions that run, people who talk to them, and somebody who counts processes."""
    missions = [agents.session(*POLICY) for _ in range(SESSIONS)]
    sessions = [agents.om.info(mission)["session_id"] for mission in missions]
    senders = [Sender(agents.om.home, missions, moments.random(), f"s{number}") for number in range(SENDERS)]
    watch = Watch(sessions)
    for thread in (watch, *senders):
        thread.start()
    yield missions, senders
    for sender in senders:
        sender.end()
    watch.end()
    assert watch.looks > SESSIONS
    assert set(watch.most.values()) == {1}, "exactly one process writes a conversation"


@pytest.mark.parametrize("part", range(PARTS))
def test_the_supervisor_is_killed_again_and_again(agents, crowd, moments, part):
    missions, senders = crowd
    pids = [agents.om.pid(mission) for mission in missions]
    for _ in range(SUPERVISORS):
        time.sleep(moments.random() * 0.25)  # the moment itself is the experiment
        kill_and_revive(agents.om)
    sent = stop(senders)
    assert len(sent) > SUPERVISORS
    for number, (mission, text, answer) in sent.items():
        ended = agents.answer(number, timeout=60)
        assert (ended["state"], ended["text"]) == ("answered", answer), (mission, text)
    for mission, pid in zip(missions, pids, strict=True):
        assert agents.om.pid(mission) == pid, "nobody was restarted"
        assert_heard_once(agents, mission, sent)
        assert_paid_for(agents, mission)


def test_agents_are_killed_again_and_again(agents, crowd, moments):
    missions, senders = crowd
    for _ in range(AGENTS):
        time.sleep(moments.random() * 0.4)
        pid = agents.om.info(moments.choice(missions))["os_pid"]
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
    sent = stop(senders)
    for number in sent:
        agents.answer(number, timeout=60)
    for mission in missions:
        assert_heard_at_most_twice(agents, mission, sent)
        assert_paid_for(agents, mission)


def assert_heard_once(agents, mission, sent):
    """The program itself has stored each message once, in the order of acceptance."""
    expected = [text for _, (to, text, _) in sorted(sent.items()) if to == mission]
    eventually(lambda: agents.heard(mission) == expected, what="everything was heard")
    assert [row["state"] for row in agents.messages(mission)] == ["answered"] * len(expected)


def assert_heard_at_most_twice(agents, mission, sent):
    """Twice only where the agent ended before it answered, which is on record; nothing fails that wasn't sent twice."""
    heard = Counter(agents.heard(mission))
    for row in agents.messages(mission):
        _, text, answer = sent[row["message"]]
        assert heard.pop(text, 0) <= 1 + row["resent"], row
        if row["state"] == "failed":
            assert (row["resent"], row["error"]) == (True, "exited"), row
        else:
            ended = agents.answer(row["message"])
            assert (ended["state"], ended["text"]) == ("answered", answer), row
    assert not heard, "it heard what nobody said"


def assert_paid_for(agents, mission):
    """What is told of the cost is what the program's own results add up to, and what the turns had used it died in."""
    lines = agents.om.raw("logs", mission, "--raw").splitlines()
    usd, turns = paid(json.loads(line) for line in lines if line.startswith(b"{"))
    assert agents.om.info(mission)["cost_usd"] == pytest.approx(usd, abs=1e-4)
    rows = [(row["cost_usd"], row["turns"]) for row in agents.om.json("cost", "--json") if row["key"] == mission]
    assert rows == ([(pytest.approx(usd, abs=1e-4), turns)] if turns else [])


def paid(lines):
    """US dollars and turns: by the results, and of a turn that came to none by the calls of the model in it."""
    usd, turns = 0.0, 0
    calls: dict[str, float] = {}
    for line in [*lines, TURN]:
        if line["type"] == "assistant":
            told = line["message"]
            calls[told["id"]] = price(told["model"], told["usage"]) or 0.0
        elif line["type"] == "result" and "model_usage_since_last_result" in line:  # else nothing has begun
            usd += sum(model["costUSD"] for model in line["model_usage_since_last_result"].values())
            turns, calls = turns + line["num_turns"], {}
        elif line.get("subtype") == TURN["subtype"]:
            usd, turns, calls = usd + sum(calls.values()), turns + len(calls), {}
    return usd, turns


def _without_children(pids):
    """Those that none of the others has forked: a child has its parent's command until it has one of its own."""
    parents = {pid: _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()[1:2] for pid in pids}
    return [pid for pid, parent in parents.items() if parent and parent[0].decode() not in {*pids, GONE}]


def _read(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""
