"""Pictures of a swarm: its header, hives, posts, board, queue, fleets and secrets, and what it asks."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from overmind_core.domain.text.moment import format_time
from overmind_core.view import hive_rows
from overmind_core.view.hives import HiveState, Link
from overmind_tui.shell.messages import SwarmStands
from overmind_tui.swarm.swarm import Swarm
from tests.kit.pictures import SIZES
from tests.tui.test_pictures import NOW, ROWS, Still, mission, settle
from tests.tui.test_pictures_hives import MACHINE, Known

WIDER = {**SIZES, "200x60": (200, 60)}


def at(seconds: float) -> str:
    """A time of the API, so many seconds ago."""
    return format_time(NOW - seconds)


def hive(name: str, link: str = "open", seen: float | None = 2.0, **more: Any) -> Any:
    """A hive, as the swarm has it."""
    return {"name": name, "id": f"home-{name}", "link": link, "version": "0.1.0", "held": 3, "slots": 8, "cpu": 16.0,
            "memory": 64_000_000_000, "labels": {"region": "eu"}, "seen_ago": seen, **more}  # fmt: skip


HIVES = [
    hive("ada-laptop", held=0, slots=0, labels={}),
    hive("eu1"),
    hive("gpu1", held=1, labels={"gpu": "yes", "region": "us"}),
    hive("gpu2", "silent", 48.0, labels={"gpu": "yes", "region": "us"}),
    hive("lab", "draining", held=2),
]  # fmt: skip
STATE: Any = {
    "swarm": "overmind", "hive": "ada-laptop", "silence": "", "silent_seconds": 0.0, "mode": "open", "queued": 2,
    "claimed": 4, "lost": 1, "store_ms": 2.0, "warnings": [], "hives": HIVES,
}  # fmt: skip
SILENT = {**STATE, "silence": "connection refused: db.example.com:5432", "silent_seconds": 12.0, "hives": []}


def post(number: int, name: str, state: str, on: str | None = None, **more: Any) -> Any:
    """A post, as the swarm has it."""
    ended = state in {"done", "failed", "cancelled"}
    return {
        "id": f"{number:08x}", "kind": "run", "name": name, "state": state, "hive": on,
        "status": "running" if state == "claimed" else None, "phase": None, "priority": "medium", "cost_usd": None,
        "attempt": 1, "fence": number, "labels": {}, "exit_code": None, "reason": None, "posted_by": "ada-laptop",
        "posted_at": at(60.0 * (20 - number)), "ended_at": at(5.0) if ended else None, **more,
    }  # fmt: skip


POSTS = [
    post(1, "docs", "done", "eu1", exit_code=0),
    post(2, "lint", "failed", "eu1", exit_code=2, reason="exited", kind="quest"),
    post(3, "old-idea", "cancelled"),
    post(4, "train", "lost", "gpu2", labels={"gpu": "yes"}, cost_usd=1.25),
    post(5, "checkout", "claimed", "gpu1", kind="quest", phase="check", cost_usd=4.1, attempt=2),
    post(6, "[red]site[/]", "claimed", "eu1", kind="quest", phase="work"),
    post(7, "review-1", "claimed", "eu1", kind="place"),
    post(8, "review-2", "claimed", "lab", kind="place"),
    post(9, "日本-docs", "queued", kind="quest", reason="cpu: 3 hives fit, none has 4 cpu free", priority="high"),
    post(10, "release", "queued", kind="quest", reason="needs checkout (claimed)", priority="critical"),
]
ASKS = [
    {"question": 7, "id": "00000006", "name": "[red]site[/]", "hive": "eu1", "there": 3, "need": "permission",
     "tool": "Bash", "summary": "rm -rf build", "subject": {"command": "rm -rf build"}, "rule": None, "options": [],
     "choices": [], "replaces": None, "attach_only": False, "asked_at": at(40.0),
     "about": {"kind": "mission", "id": "aaaa0001", "name": "site"}},
    {"question": 9, "id": "00000004", "name": "train", "hive": "gpu2", "there": None, "need": "lost", "tool": "",
     "summary": "Hive gpu2 is silent. Is its machine off? allow: start train elsewhere; deny: wait for it",
     "subject": {}, "rule": None, "options": [], "choices": [], "replaces": None, "attach_only": False,
     "asked_at": at(48.0), "about": {"kind": "mission", "id": "00000004", "name": "train"}},
]  # fmt: skip
WHY: Any = {
    "id": "00000009", "name": "日本-docs", "state": "queued", "summary": "waits: cpu: 3 hives fit, none has 4 cpu free",
    "hives": [{"hive": "ada-laptop", "text": "no: takes nothing"}, {"hive": "eu1", "text": "no: cpu: 4 wanted, 2 free"},
              {"hive": "gpu1", "text": "yes, 2nd in line"}],
}  # fmt: skip
QUEUE: Any = {
    "slots": 32, "used": 4,
    "posts": [{"position": place, "id": one["id"], "name": one["name"], "kind": one["kind"],
               "priority": one["priority"], "score": 0.6475 - place / 16, "why": one["reason"]}
              for place, one in enumerate(POSTS[8:], 1)],
}  # fmt: skip
FLEETS: Any = [
    {"name": "disk", "want": None, "alive": 4, "lost": 0, "queued": 0, "hives": ["eu1", "gpu1", "lab"],
     "source": "ada-laptop:/srv/team.toml"},
    {"name": "review", "want": 5, "alive": 3, "lost": 1, "queued": 1, "hives": ["eu1", "gpu2", "lab"],
     "source": "ada-laptop:/srv/team.toml"},
]  # fmt: skip
FLEET: Any = {
    **FLEETS[1], "agent": "review", "labels": {"region": "eu"}, "cpu": 2.0, "memory": 4_000_000_000, "on_lost": "move",
    "lease": 60.0, "posted_by": "ada-laptop",
    "places": [
        {"id": "00000007", "name": "review-1", "state": "claimed", "hive": "eu1", "status": "running", "ready": True,
         "current": True, "ending": None, "reason": None},
        {"id": "00000008", "name": "review-2", "state": "claimed", "hive": "lab", "status": "running", "ready": False,
         "current": False, "ending": "replaced", "reason": None},
        {"id": "0000000b", "name": "review-3", "state": "queued", "hive": None, "status": None, "ready": False,
         "current": True, "ending": None, "reason": "exit 1"},
    ],
}  # fmt: skip
VAULT: Any = [
    {"name": "DEPLOY_KEY", "hives": ["eu1"], "put_by": ["ada-laptop"], "here": True},
    {"name": "NPM_TOKEN", "hives": ["eu1", "gpu1", "lab"], "put_by": ["grace"], "here": False},
]  # fmt: skip
POOLS: Any = [
    {"name": "gpus", "engine": "kubernetes", "state": "silent", "note": "kubectl: connection refused", "hive": "eu1",
     "wanted": 1, "min": 0, "max": 4, "slots": 1, "labels": {"gpu": "yes"}, "instances": []},
    {"name": "hpc", "engine": "slurm", "state": "open", "note": "", "hive": "eu1", "wanted": 3, "min": 0, "max": 10,
     "slots": 4, "labels": {"gpu": "yes", "region": "eu"},
     "instances": [
         {"name": "hpc-1", "engine_id": "4711", "state": "joined", "ending": None, "held": 3, "reason": None},
         {"name": "hpc-2", "engine_id": "4712", "state": "joined", "ending": "drain", "held": 1, "reason": None},
         {"name": "hpc-3", "engine_id": None, "state": "asked", "ending": None, "held": 0, "reason": None},
         {"name": "hpc-0", "engine_id": "4709", "state": "ended", "ending": None, "held": 0,
          "reason": "it did not join within 10 min"},
     ]},
]  # fmt: skip
ANSWERS = {
    "pool_list": POOLS,
    "swarm_posts": POSTS, "swarm_why": WHY, "swarm_queue": QUEUE, "swarm_fleets": FLEETS, "swarm_fleet": FLEET,
    "vault_list": VAULT,
    "swarm_tail": {"id": "00000002", "name": "lint", "state": "failed", "hive": "gpu1", "here": False,
                   "tail": "src/api.py:7: E501\n1 problem\n", "format": None, "cut": False},
}  # fmt: skip


class Heard(Swarm):
    """A swarm that stands as it does."""

    def start(self) -> None:
        """Nobody is asked."""

    def close(self) -> None:
        """There is no connection."""


class OfSwarm(Still):
    """The program of a home in a swarm; `hives`: which config.toml names, too."""

    def __init__(self, hives: Any = None, *, state: Any = STATE, **how: Any) -> None:
        super().__init__(ROWS[:4], **how)
        self.hives = hives
        self._state = state
        self.swarm = Heard(self, self.updates, self.home, self.post_message)
        self.fleet.name_hives(has_hives=hives is not None)

    def _configure_swarm(self, *, begun: bool = False) -> None:
        """It is as it is."""

    def _start(self) -> None:
        self.fleet.join_swarm(is_in_swarm=True)
        super()._start()
        assert self.swarm is not None
        self.swarm.take(SwarmStands(STATE, ASKS, FLEETS))
        if self._state is not STATE:
            self.swarm.take(SwarmStands(self._state, None, None))
        if isinstance(self.hives, Gates):
            self.fleet.apply([mission(9, "site", "running", activity="waiting")], (), everything=True, hive="eu")
            self.fleet.ask([{**ASKS[0], "id": "00000009", "name": "site", "question": 3}], hive="eu")
        self.flash("daemon 4242", "quiet")

    def request(self, command, requests, on_result):
        """As the daemon answers."""
        if command in ANSWERS:
            found = deepcopy(ANSWERS[command])
            live = deepcopy([one for one in POSTS if one["ended_at"] is None])
            on_result([live if command == "swarm_posts" and not requests[0]["all"] else found])
        else:
            super().request(command, requests, on_result)


class Gates(Known):
    """Two of the swarm's hives have a gate, one of which answers."""

    states = [  # noqa: RUF012 - they stay as they are
        HiveState("local", "", Link.OPEN, "0.1.0", NOW, figures=MACHINE),
        HiveState("eu", "ssh", Link.OPEN, "0.1.0", NOW, figures=MACHINE, home="home-eu1"),
        HiveState("gpu2", "ssh", Link.SILENT, "0.1.0", NOW - 12, figures=MACHINE, home="home-gpu2"),
        HiveState("attic", "ssh", Link.CLOSED, "", 0.0, "ssh: No route to host"),
    ]


def keys(line: str, *more: str) -> list[str]:
    """The keys that type a line behind the colon, and others."""
    return ["colon", *({" ": "space", "/": "slash"}.get(one, one) for one in line), "enter", *more]


VIEWS = {
    "missions": [],
    "needs": ["exclamation_mark"],
    "lost": ["exclamation_mark", "j"],
    "hives": keys("hives"),
    "posts": keys("swarm"),
    "posts_all": keys("swarm all"),
    "posts_of_a_hive": keys("swarm /hive:eu1"),
    "post": keys("swarm", "enter"),
    "post_ended": keys("swarm all /lint", "enter"),
    "why": keys("swarm", "j", "w"),
    "cancel": keys("swarm", "j", "x"),
    "posts_keys": keys("swarm", "question_mark"),
    "board": keys("board swarm"),
    "queue": keys("queue swarm"),
    "fleets": keys("fleets"),
    "fleet": keys("fleets", "j", "enter"),
    "scale": keys("fleets", "j", "e", "7"),
    "delete": keys("fleets", "j", "ctrl+d"),
    "pools": keys("pools"),
    "pool": keys("pools", "j", "enter"),
    "raise": keys("pools", "j", "n", "2"),
    "drain": keys("pools", "j", "ctrl+d"),
    "vault": keys("vault"),
    "secret": keys("vault", "enter"),
    "remove": keys("vault", "ctrl+d"),
    "grant": keys("vault", "e", "g"),
}


@pytest.mark.parametrize("size", WIDER)
@pytest.mark.parametrize("view", VIEWS)
def test_view(pictured, view, size):
    async def press(pilot):
        await settle(pilot)
        await pilot.press(*VIEWS[view])
        await settle(pilot)

    assert pictured(OfSwarm(), size, press, sizes=WIDER)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("view", ["missions", "hives", "needs"])
def test_with_named_hives(pictured, view, size):
    async def press(pilot):
        await settle(pilot)
        await pilot.press(*VIEWS[view])
        await settle(pilot)

    assert pictured(OfSwarm(Gates()), size, press)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("view", ["missions", "hives", "posts"])
def test_silent(pictured, view, size):
    async def press(pilot):
        await settle(pilot)
        await pilot.press(*VIEWS[view], *(["j", "x"] if view == "posts" else []))
        await settle(pilot)

    assert pictured(OfSwarm(state=SILENT), size, press)


@pytest.mark.parametrize("size", SIZES)
def test_settling(pictured, size):
    hives = [*HIVES[:1], *({**one, "link": "settling"} for one in HIVES[1:3])]

    async def press(pilot):
        await settle(pilot)
        await pilot.press(*VIEWS["hives"])
        await settle(pilot)

    assert pictured(OfSwarm(state={**STATE, "mode": "settling", "hives": hives}), size, press)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("view", ["swarm", "fleets", "pools", "vault", "board swarm", "queue swarm"])
def test_in_no_swarm_a_view_says_how_to_join_one(pictured, view, size):
    async def press(pilot):
        await settle(pilot)
        await pilot.press(*keys(view))
        await settle(pilot)

    assert pictured(Still(), size, press)


def test_the_questions_of_the_pictures_are_such_as_hives_may_ask():
    assert hive_rows.questions(ASKS) == ASKS
