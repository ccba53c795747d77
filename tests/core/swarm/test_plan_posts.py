"""Agents of plans as posts of a swarm: what is posted, how a post is seen, and what its end hands on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from overmind_core.domain.plans.blueprint import LARGEST
from overmind_core.errors import OvermindError
from overmind_core.plans.ports import GONE, NewPost, PostView
from overmind_core.swarm.handed_on import hands_on
from overmind_core.swarm.plan_posts import LARGEST_RUN, PlanPosts
from tests.kit.cases import tabled

POST = NewPost(
    "0123456789ab", "team-build", "team", "build", {"command": "make", "cwd": ""}, {"gpu": "yes"}, 2.0, 1000, ("rows",)
)


class Database:
    """As much of a swarm's database as plans ask, with one post."""

    def __init__(self, *, mode: str = "open", role: str | None = "operator", **row: Any) -> None:
        self.mode, self.role = mode, role
        self.row = SimpleNamespace(
            **{
                "id": POST.id, "state": "queued", "hive": None, "status": None, "cancelling": None, "exit_code": None,
                "reason": None, **row,
            }
        )  # fmt: skip
        self.result: Any = None
        self.definition: dict[str, Any] = {"hands_on": {"outputs": ["rows"]}}
        self.is_there = True
        self.posted: list[dict[str, Any]] = []

    def hello(self) -> Any:
        return SimpleNamespace(mode=self.mode, role=self.role, login="eu1")

    def post(self, definitions: list[dict[str, Any]]) -> None:
        self.posted += definitions

    def posts_of(self, ids: list[str]) -> list[Any]:
        return [self.row] if self.is_there and self.row.id in ids else []

    def find_post(self, post: str) -> Any:
        return self.row if self.is_there and post == self.row.id else None

    def end_of(self, post: str) -> Any:
        assert post == self.row.id
        return SimpleNamespace(definition=self.definition, result=self.result)

    def cancel(self, post: str) -> str:
        if not self.is_there:
            raise OvermindError("not_found", f"There is no post {post}.")
        return "cancelling"

    @property
    def posts(self) -> PlanPosts:
        async def ask(work: Callable[[Any], Any]) -> Any:
            return work(self)

        host: Any = SimpleNamespace(line=lambda: SimpleNamespace(ask=ask, ask_patiently=ask), home_id=lambda: "abc")
        return PlanPosts(lambda: host)


def test_what_is_posted_is_a_run_with_its_conditions_and_what_it_hands_on():
    database = Database()
    asyncio.run(database.posts.post(POST))
    (found,) = database.posted
    assert (found["id"], found["kind"], found["name"], found["labels"]) == (
        POST.id,
        "run",
        "team-build",
        {"gpu": "yes"},
    )
    assert (found["cpu"], found["memory"], found["provider"], found["on_lost"]) == (2.0, 1000, None, "wait")
    assert found["run"] == {"command": "make", "cwd": "", "name": "team-build"}
    wanted = hands_on(msgspec.json.decode(msgspec.json.encode(found)))
    assert wanted is not None
    assert wanted.outputs == ["rows"]


def test_what_is_larger_than_a_post_may_be_is_refused_here():
    database = Database()
    large = replace(POST, run={"command": "x" * LARGEST_RUN})
    with pytest.raises(OvermindError) as refused:
        asyncio.run(database.posts.post(large))
    assert refused.value.code == "too_large"
    assert database.posted == []


@tabled(
    ("row", "view", "has_begun"),
    [
        ({}, PostView("queued"), False),
        ({"state": "claimed", "hive": "eu1"}, PostView("claimed", "eu1"), False),
        ({"state": "claimed", "hive": "eu1", "status": "running"}, PostView("claimed", "eu1", "running"), True),
        ({"state": "lost", "hive": "eu1", "status": "running"}, PostView("lost", "eu1", "running"), True),
        ({"state": "done", "hive": "eu1", "status": "running"}, PostView("done", "eu1", "done"), True),
        ({"state": "cancelled"}, PostView("cancelled"), False),
        (
            {"state": "claimed", "hive": "eu1", "status": "running", "cancelling": "cancelled"},
            PostView("claimed", "eu1", "running", is_ending=True),
            True,
        ),
    ],
)
def test_a_post_is_seen_as_the_swarm_tells_of_it(row, view, has_begun):
    found = asyncio.run(Database(**row).posts.look([POST.id]))
    assert found == {POST.id: view}
    assert view.has_begun is has_begun


def test_a_post_that_is_not_there_is_gone_but_not_while_hives_still_present_theirs():
    database = Database()
    database.is_there = False
    assert asyncio.run(database.posts.look([POST.id])) == {POST.id: PostView(GONE)}
    for mode in ("settling", "presenting", "restarted"):
        database.mode = mode
        assert asyncio.run(database.posts.look([POST.id])) == {}
    assert asyncio.run(database.posts.cancel(POST.id)) == GONE


def test_who_was_removed_from_the_swarm_does_not_take_its_posts_for_gone():
    database = Database(role=None)
    database.is_there = False
    with pytest.raises(OvermindError) as refused:
        asyncio.run(database.posts.look([POST.id]))
    assert refused.value.code == "forbidden"


@pytest.mark.parametrize("role", ["viewer", "worker", None])
def test_only_who_may_post_applies(role):
    with pytest.raises(OvermindError) as refused:
        asyncio.run(Database(role=role).posts.check())
    assert refused.value.code == "forbidden"
    assert "--role operator" in refused.value.message


GOOD = {"result": "r", "output": "o", "facts": {"rows": "7"}}


@tabled(
    ("result", "facts", "problem"),
    [
        ({"hands_on": GOOD}, {"rows": "7"}, None),
        ({"hands_on": {**GOOD, "facts": {"rows": "7", "more": "x"}}}, {"rows": "7"}, None),
        ({"hands_on": {**GOOD, "facts": {}}}, {}, "output_missing"),
        ({"hands_on": {**GOOD, "problem": ["output_invalid", "rows: no"]}}, {"rows": "7"}, "output_invalid"),
        ({"hands_on": {**GOOD, "facts": {"rows": "x" * (LARGEST + 9)}}}, {"rows": "x" * LARGEST}, None),
        ({"hands_on": {"facts": 3}}, {}, "output_lost"),
        ({"hands_on": "?"}, {}, "output_lost"),
        ({}, {}, "output_lost"),
        (None, {}, "output_lost"),
        ([], {}, "output_lost"),
    ],
)
def test_whatever_a_hive_tells_only_what_was_declared_is_handed_on(result, facts, problem):
    database = Database(state="done", hive="eu1", exit_code=0)
    database.result = result
    end = asyncio.run(database.posts.end_of(POST.id))
    assert (end.facts, None if end.problem is None else end.problem[0]) == (facts, problem)


def test_what_nobody_can_read_of_a_definition_is_refused():
    assert hands_on({"run": {}}) is None
    unreadable: tuple[object, ...] = ({"outputs": 3}, "?", [])
    for given in unreadable:
        with pytest.raises(OvermindError):
            hands_on({"hands_on": given})
