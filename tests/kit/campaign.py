"""A campaign of kills: people and plans at work while supervisor and keeper die, and what must be true afterwards.

Each actor does one kind of work again and again, as the command line does: a request that has no answer is sent again,
with the same key. What was answered is what was promised; what is on disk is what happened; the books must say both.
"""

from __future__ import annotations

import os
import random
import threading
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from typing import Any

from tests.kit.overmind import FINAL, Overmind
from tests.kit.raw_socket import RawSocket
from tests.kit.repositories import Repository
from tests.kit.waiting import eventually

PATIENCE = 60.0
"""Seconds in which somebody answers, and in which everything has come to rest."""
ALONE = 0.4
"""Seconds without anybody there after which a person types a command, which starts a daemon."""
PAUSE = 0.1
"""Seconds, at most, between two things that one actor does."""
AGAIN = frozenset({"busy", "daemon_lost"})
"""Errors that say that the same request may be sent again."""
LOST = "keeper_lost"
READER = 'stty -echo; while read -r line; do echo "$line" >>{heard}; done'
GUARDS = 3
"""Missions of one actor."""
ALONE_WITH = 'flock -n {lock} sh -c "echo begun; while :; do sleep 600; done" || echo twice >>{twice}'
RUN = "echo {word} >>{ran}; printf %0{size}d 0; exit {code}"
ENDLESS = "echo run >>{ran}; printf %07d 0; sleep 0.05; exit 1"


class Actor(threading.Thread, ABC):
    """Does its work until it is told to stop; `failure` is what stopped it before."""

    def __init__(self, om: Overmind, seed: int, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self.om = om
        self.chance = random.Random(seed)
        self.failure: BaseException | None = None
        self.count = 0
        """How often it has done its work."""
        self._stop_asked = threading.Event()
        self.folder = om.path("campaign", name)
        os.makedirs(self.folder)

    def run(self) -> None:
        try:
            while not self._stop_asked.wait(self.chance.random() * PAUSE) or not self.count:
                self.work()
                self.count += 1
        except BaseException as error:  # noqa: BLE001 - told by `end`
            self.failure = error

    def ask_to_stop(self) -> None:
        """Have it finish what it is at."""
        self._stop_asked.set()

    @abstractmethod
    def work(self) -> None:
        """Do it once."""

    @abstractmethod
    def check(self) -> None:
        """Compare what was promised with what the books say and with what has happened."""

    def path(self, name: str) -> str:
        """A file of its own."""
        return os.path.join(self.folder, name)

    def key(self) -> str:
        """A key for a request."""
        return f"{self.chance.getrandbits(128):032x}"

    def ask(self, cmd: str, /, *, stream: bool = False, **args: Any) -> dict[str, Any]:
        """The answer of whoever answers: its `ok`, or its `error`; of a stream what it ends with."""
        began = alone = time.monotonic()
        while True:
            try:
                with RawSocket.connect(self.om.home, timeout=PATIENCE / 2) as api:
                    answer = dict(api.request(cmd, **args))
                    while stream and not answer.keys() & {"end", "error"}:
                        answer = dict(api.read_line())
            except (OSError, EOFError):
                now = time.monotonic()
                assert now - began < PATIENCE, f"nobody answers {cmd}"
                if now - alone > ALONE:
                    self.om("start")
                    alone = now
                time.sleep(0.02)
                continue
            if answer.get("error") not in AGAIN:
                return answer
            time.sleep(0.02)

    def start_mission(self, command: str, **how: Any) -> str:
        """Start a mission, once."""
        asked = {"cwd": self.folder, "env": self.om.environment, "request": self.key(), **how}
        answer = self.ask("run", command=command, **asked)
        assert "ok" in answer, answer
        return str(answer["ok"]["id"])

    def info(self, mission: str) -> dict[str, Any]:
        """What is known of a mission."""
        answer = self.ask("info", id=mission)
        assert "ok" in answer, answer
        return dict(answer["ok"])


def end(actors: Sequence[Actor]) -> None:
    """Wait until all have finished what they are at."""
    for actor in actors:
        actor.ask_to_stop()
    for actor in actors:
        actor.join(2 * PATIENCE)
    for actor in actors:
        assert not actor.is_alive(), f"{actor.name} still waits for an answer"
        if actor.failure is not None:
            raise AssertionError(f"{actor.name} failed") from actor.failure


def lines(path: str) -> list[str]:
    """The lines of a file, which need not be there."""
    try:
        with open(path) as file:
            return file.read().splitlines()
    except FileNotFoundError:
        return []


class Tasks(Actor):
    """Starts commands that end by themselves."""

    def __init__(self, om: Overmind, seed: int, name: str) -> None:
        super().__init__(om, seed, name)
        self.started: dict[str, tuple[str, int, int]] = {}

    def work(self) -> None:
        word, size, code = f"w{self.count}", self.chance.randrange(1, 9000), self.chance.choice([0, 3])
        mission = self.start_mission(RUN.format(word=word, ran=self.path("ran"), size=size, code=code))
        assert mission not in self.started, "two requests became one mission"
        self.started[mission] = (word, size, code)

    def check(self) -> None:
        ran = Counter(lines(self.path("ran")))
        assert set(ran.values()) <= {1}, "some ran twice"
        for mission, (word, size, code) in self.started.items():
            info = self.info(mission)
            if info["reason"] != LOST:
                (run,) = info["runs"]
                assert (run["exit_code"], run["output_bytes"], ran[word]) == (code, size, 1), info


class Restarts(Actor):
    """Has missions that end at once and are always started again."""

    def work(self) -> None:
        if self.count < 2:
            ran = self.path(f"ran{self.count}")
            policy = {"restart": "always", "max_restarts": 0, "backoff": 1}
            self.missions = [
                *getattr(self, "missions", []),
                (self.start_mission(ENDLESS.format(ran=ran), **policy), ran),
            ]
        else:
            self.ask("ps")

    def check(self) -> None:
        for mission, ran in self.missions:
            runs = self.info(mission)["runs"]
            assert len(lines(ran)) <= len(runs), f"{mission} ran {len(lines(ran))} times: {runs}"


class Guards(Actor):
    """Has missions that hold a lock for as long as any process of them lives, and tell when somebody else has it."""

    def __init__(self, om: Overmind, seed: int, name: str) -> None:
        super().__init__(om, seed, name)
        self.missions: list[str] = []

    def work(self) -> None:
        if len(self.missions) < GUARDS:
            command = ALONE_WITH.format(lock=self.path(f"lock{self.count}"), twice=self.path("twice"))
            self.missions.append(self.start_mission(command, restart="always", max_restarts=0, backoff=1, grace=0.1))
        else:
            self.ask("ps")

    def check(self) -> None:
        assert lines(self.path("twice")) == [], "a mission had two processes at once"
        for mission in self.missions:
            *before, _ = self.info(mission)["runs"]
            assert {run["reason"] for run in before} <= {LOST}, "only the keeper's death ends what nobody has ended"


class Ends(Actor):
    """Starts missions that would run for ever, whatever happens to them, and ends them."""

    def __init__(self, om: Overmind, seed: int, name: str) -> None:
        super().__init__(om, seed, name)
        self.ended: dict[str, str] = {}

    def work(self) -> None:
        mission = self.start_mission("echo begun; exec sleep 600", restart="always", max_restarts=0, backoff=1)
        command = self.chance.choice(["stop", "kill"])
        time.sleep(self.chance.random() * PAUSE)
        answer = self.ask(command, id=mission)
        assert "ok" in answer or answer["error"] == "not_running", answer  # it was ended by the request before
        self.ended[mission] = "stopped" if command == "stop" else "killed"

    def check(self) -> None:
        for mission, status in self.ended.items():
            assert self.info(mission)["status"] == status


class Messages(Actor):
    """Sends to a raw session, whose program writes down what it reads; begins another one when that has died."""

    def __init__(self, om: Overmind, seed: int, name: str) -> None:
        super().__init__(om, seed, name)
        self.sent: dict[str, dict[int, str]] = {}
        """Session → number → text of what was accepted."""
        self._session = ""

    def work(self) -> None:
        if not self._session:
            heard = self.path(f"heard{len(self.sent)}")
            self._session = self.start_mission(READER.format(heard=heard), type="session")
            self.sent[self._session] = {}
            return
        text = f"m{self.count}"
        answer = self.ask("send", id=self._session, text=text, request=self.key())
        if "ok" in answer:
            number = answer["ok"]["message"]
            assert number not in self.sent[self._session], "two messages became one"
            self.sent[self._session][number] = text
        elif self.info(self._session)["status"] in FINAL:
            self._session = ""

    def check(self) -> None:
        for at, (session, sent) in enumerate(self.sent.items()):
            states = {one["message"]: one["state"] for one in self.ask("messages", id=session)["ok"]}
            heard = lines(self.path(f"heard{at}"))
            accepted = [sent[number] for number in sorted(sent)]
            assert heard == [text for text in accepted if text in heard], "once each, and in their order"
            left = {number: states[number] for number in sent if states[number] not in {"delivered", "failed"}}
            assert not left, f"each has come to an end: {self.info(session)}"
            delivered = [sent[number] for number in sorted(sent) if states[number] == "delivered"]
            missing = [text for text in delivered if text not in heard]
            if self.info(session)["reason"] != LOST:
                assert heard == delivered
            else:  # what it had not read when it was lost with its keeper
                assert missing == delivered[len(delivered) - len(missing) :]


class Plans(Actor):
    """Starts plans of three agents in a row."""

    def __init__(self, om: Overmind, seed: int, name: str) -> None:
        super().__init__(om, seed, name)
        self.plans: dict[str, str] = {}

    def work(self) -> None:
        journal = self.path(f"journal{self.count}")
        agents = [
            {
                "name": one,
                "start": {"command": f"echo {one} >>{journal}; sleep 0.1", "cwd": self.folder},
                "depends_on": [{"agent": before} for before in needs],
            }
            for one, needs in (("a", ""), ("b", "a"), ("c", "b"))
        ]
        blueprint = {"name": f"{self.name}-{self.count}", "agents": agents}
        answer = self.ask("apply", blueprint=blueprint, cwd=self.folder, env=self.om.environment, request=self.key())
        assert "ok" in answer, answer
        plan = answer["ok"]["id"]
        self.plans[plan] = journal
        eventually(lambda: self.info(plan)["status"] in FINAL, timeout=PATIENCE, what=f"the plan {plan} is over")

    def check(self) -> None:
        for plan, journal in self.plans.items():
            ran = Counter(lines(journal))
            assert set(ran.values()) <= {1}, "an agent ran twice"
            if self.info(plan)["status"] == "stopped":
                assert sorted(ran) == ["a", "b", "c"]


class Landings(Actor):
    """Has missions commit in worktrees of their own, and lands what they did."""

    def __init__(self, om: Overmind, seed: int, name: str) -> None:
        super().__init__(om, seed, name)
        self.landed: dict[str, bool] = {}
        self._repository = Repository(os.path.join(self.folder, "shop"))
        self._repository.commit("first", {"a.txt": "one\n"})

    def work(self) -> None:
        word = f"c{self.count}"
        command = f"echo {word} >{word} && git add {word} && git commit -qm {word}"
        environment = {**self.om.environment, **self._repository.environ, "HOME": self.om.environment["HOME"]}
        mission = self.start_mission(command, cwd=self._repository.folder, env=environment, isolate=True)
        eventually(lambda: self.info(mission)["status"] in FINAL, timeout=PATIENCE, what=f"{mission} is over")
        if self.info(mission)["status"] == "stopped":
            answer = self.ask("merge", stream=True, id=mission, request=self.key())
            self.landed[word] = "error" not in answer

    def check(self) -> None:
        files = self._repository.git("ls-tree", "--name-only", "main").split()
        subjects = Counter(self._repository.git("log", "--format=%s", "main").splitlines())
        for word, landed in self.landed.items():
            assert (word in files, subjects[word]) == (landed, int(landed)), (word, landed, subjects)


ACTORS: dict[str, type[Actor]] = {
    "tasks": Tasks,
    "restarts": Restarts,
    "guards": Guards,
    "ends": Ends,
    "messages": Messages,
    "plans": Plans,
    "landings": Landings,
}


def books_are_true(om: Overmind) -> bool:
    """True, or an assertion fails: every run that wrote is on the books with all its bytes, every log has a record."""
    missions = {row["id"] for row in om.api("ps", all=True)}
    logs = om.path("logs")
    assert set(os.listdir(logs)) <= missions, "a log without a record"
    for mission in sorted(missions):
        info = om.api("info", id=mission)
        told = {run["number"]: run["output_bytes"] for run in info["runs"]}
        written = {int(name): _bytes(os.path.join(logs, mission, name)) for name in _names(os.path.join(logs, mission))}
        assert set(written) <= set(told), f"runs of {mission} are missing: {sorted(set(written) - set(told))}"
        assert list(told) == list(range(1, len(told) + 1)) or info["type"] == "blueprint", (mission, list(told))
        assert {number: told[number] for number in written} == written, f"bytes of {mission}"
        assert not sum(size for number, size in told.items() if number not in written)
    return True


def _names(folder: str) -> list[str]:
    return os.listdir(folder) if os.path.isdir(folder) else []


def _bytes(folder: str) -> int:
    names = [name for name in os.listdir(folder) if name.startswith(("out.", "err."))]
    return sum(os.stat(os.path.join(folder, name)).st_size for name in names)
