"""Live missions by id and name."""

from __future__ import annotations

from dataclasses import replace

import pytest

from overmind_core.domain.missions.mission import Definition, Mission, Status
from overmind_core.missions.registry import NameIndex


def mission(id_, name):
    return Mission(id_, Definition(name, "true", ("true",), "/", columns=80, rows=24), 0.0, Status.RUNNING, run=1)


@pytest.fixture
def roster():
    return NameIndex()


def test_a_live_mission_has_its_name(roster):
    roster.put(mission("a", "api"))
    assert (roster.holder("api"), set(roster.names), set(roster.live)) == ("a", {"api"}, {"a"})


def test_the_name_of_a_mission_that_left_is_free(roster):
    roster.put(mission("a", "api"))
    roster.remove("a")
    roster.remove("a")
    assert (roster.holder("api"), set(roster.live)) == (None, set())


def test_a_new_name_replaces_the_old_one(roster):
    one = mission("a", "api")
    roster.put(one)
    roster.put(replace(one, definition=replace(one.definition, name="web")))
    assert (roster.holder("api"), roster.holder("web")) == (None, "a")


def test_a_reserved_name_is_in_use(roster):
    with roster.reserved("api", "a"):
        assert "api" in roster.names
    assert "api" not in roster.names


def test_whoever_came_to_life_keeps_the_name_that_was_reserved(roster):
    with roster.reserved("api", "a"):
        roster.put(mission("a", "api"))
    assert roster.holder("api") == "a"


def test_the_end_of_an_old_mission_does_not_free_the_name_that_another_has_now(roster):
    roster.put(mission("a", "api"))
    with roster.reserved("api", "b"):
        roster.put(mission("b", "api"))
    roster.remove("a")
    assert roster.holder("api") == "b"


def test_it_is_known_whether_any_lives(roster):
    assert not roster.some_live.is_set()
    roster.put(mission("a", "api"))
    roster.put(mission("b", "web"))
    roster.remove("a")
    assert roster.some_live.is_set()
    roster.remove("b")
    assert not roster.some_live.is_set()
