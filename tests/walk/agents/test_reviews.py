"""Reviews of missions: a provider looks at one when a person asks, and its number counts for a while."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.kit import scripted
from tests.kit.queued import Queued
from tests.kit.waiting import eventually

pytestmark = pytest.mark.own_home
STAY = [{"touch": "stays"}, {"until": "let-go"}]
SETTINGS = '[guardian]\nreview = "claude"\nevery = "100ms"\n'
LOW = {"alignment": 0.3, "reason": "It writes tests for another part.", "message": "Work on the carts only."}


def written(value):
    return [{"output": "review.json", "data": value}, {"cost": 0.02}]


@pytest.fixture
def world(agents, tmp_path):
    return World(agents, str(tmp_path))


class World:
    """A quest that stays, and a reviewer that plays a script."""

    def __init__(self, agents, folder):
        self.om, self.folder = agents.om, folder
        self.script = {"quests": {"login": STAY}}
        scripted.behind(self.om, os.path.join(folder, "script.json"))
        self.play([{"say": "fine"}])
        self.queue = Queued(self.om, SETTINGS)
        self.om.ok("quest", "add", "--name", "login", "--provider", "claude", "--cwd", self.om.home,
                   "Write the carts")  # fmt: skip
        eventually(lambda: os.path.exists(self.om.path("stays")), timeout=30.0, what="it works")
        eventually(lambda: self.om.api("health", ids=["login"])["missions"][0]["level"] == "ok", timeout=30.0)

    def play(self, guardian):
        scripted.write(self.folder, {**self.script, "guardian": guardian})

    def review(self, *options):
        return self.om("health", "login", "--review", *options)

    def row(self):
        return self.om.api("health", ids=["login"])["missions"][0]


def test_what_a_reviewer_says_replaces_the_number_and_its_cost_counts(world):
    world.play(written({"alignment": 0.9, "reason": "It does.", "message": ""}))
    om = world.om
    (row,) = om.json("health", "login", "--review", "--json")
    assert row["alignment"] == 0.9
    assert [one for one in row["terms"] if one["term"] == "review"] == [
        {"term": "review", "cost": 0.1, "holds": False, "evidence": ""}
    ]
    assert world.row()["alignment"] == 0.9
    reviewer = om.info("login/guardian")
    assert (reviewer["parent"], reviewer["provider"]) == (om.info("login")["id"], "claude")
    assert reviewer["cost_usd"] == pytest.approx(0.02)


def test_a_low_number_is_steered_with_the_words_of_the_reviewer(world):
    world.play(written(LOW))
    finished = world.review()
    assert "review: It writes tests for another part." in finished.stdout
    (asked,) = eventually(lambda: world.om.api("inbox"), timeout=30.0)
    assert asked["need"] == "steer"
    assert "Work on the carts only." in asked["subject"]["text"]


@pytest.mark.parametrize(
    "steps",
    [
        [{"say": "fine"}],
        [{"output": "review.json", "text": "{broken"}],
        [{"output": "review.json", "data": {"alignment": 1.5}}],
        [{"output": "review.json", "data": {"alignment": True}}],
        [{"output": "review.json", "data": [1]}],
        [{"output": "review.json", "text": "x" * 100_000}],
        [*written(LOW), {"exit": 3}],
    ],
    ids=["nothing", "broken", "beyond", "truth", "list", "huge", "failed"],
)
def test_a_review_that_can_not_be_used_is_as_none(world, steps):
    world.play(steps)
    before = world.row()["alignment"]
    finished = world.review("--json")
    assert finished.returncode == 0
    assert "The review of login can't be used." in finished.stderr
    assert world.row()["alignment"] == before
    assert world.om.api("inbox") == []


def test_who_can_not_be_reviewed_is_said_and_nothing_begins(world):
    om = world.om
    om.refused("health", "--review", code="invalid", exit_code=2)
    om.refused("health", "nobody", "--review", code="not_found")
    done = om.finished("true")
    om.refused("health", done["id"], "--review", code="not_running")
    assert not [one for one in om.api("ps", all=True) if one["name"].endswith("/guardian")]


def test_without_a_provider_the_command_says_where_to_choose_one(om):
    mission = om.mission("sleep 600")
    told = om.refused("health", mission, "--review", code="invalid")
    assert told == 'No provider reviews missions. Choose one: review = "claude" below [guardian] in config.toml.\n'


def test_inside_of_a_mission_nobody_is_reviewed(om):
    mission = om.finished("overmind health inside --review", "--name", "inside")
    assert "forbidden" in om.ok("logs", mission["id"])


def test_two_at_once_get_the_same_review(world):
    world.play([{"touch": "reviews"}, {"until": "reviewed"}, *written(LOW)])
    om = world.om
    with ThreadPoolExecutor() as pool:
        asked = [pool.submit(om.api, "health", ids=["login"], review=True) for _ in range(2)]
        eventually(lambda: os.path.exists(om.path("reviews")), timeout=30.0)
        with open(om.path("reviewed"), "w"):
            pass
        assert [one.result(timeout=30)["missions"][0]["alignment"] for one in asked] == [0.3, 0.3]
    assert len([one for one in om.api("ps", all=True) if one["name"] == "login/guardian"]) == 1
