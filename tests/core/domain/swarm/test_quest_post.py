"""What a hive reads of a post that is a part of a spec of another home, however it came about."""

from __future__ import annotations

import pytest

from overmind_core.domain.swarm.placement import Placement
from overmind_core.domain.swarm.quest_post import (
    PostError,
    Source,
    SpecPart,
    definition,
    part_of_spec,
    read,
)

COMMIT, OTHER = "a" * 40, "b" * 40
SOURCE = Source("ssh://git.example/shop.git", COMMIT)


def post(**more):
    """The definition of a phase, with these fields instead."""
    part = part_of_spec(SpecPart("carts", phase="design"), brought=OTHER, collects=["design.json"], feedback="again")
    made = definition(
        post="abc12345", name="carts/design", given={"title": "Design", "cwd": "/home/ann"}, needs=(), deadline_at=None,
        placement=Placement(), source=SOURCE, more=part,
    )  # fmt: skip
    return made | more


def test_what_was_posted_is_read_again():
    found = read(post())
    assert (found.source, found.brought, found.feedback) == (SOURCE, OTHER, "again")
    assert (found.part, tuple(found.collects)) == (SpecPart("carts", phase="design"), ("design.json",))
    assert found.fields == {"title": "Design"}


def test_a_quest_of_no_spec_has_nothing_of_that():
    found = read({key: value for key, value in post().items() if key in {"quest", "source"}})
    assert (found.part, found.brought, tuple(found.collects), found.feedback) == (None, None, (), "")


@pytest.mark.parametrize(
    "more",
    [
        {"brought": "HEAD"},
        {"brought": 1},
        {"brought": OTHER, "source": None},
        {"collects": ["../x"]},
        {"collects": ["a/b"]},
        {"collects": "design.json"},
        {"collects": [1]},
        {"feedback": ["x"]},
        {"spec": "carts"},
        {"spec": {"phase": "design"}},
        {"spec": {"spec": "../../x"}},
        {"spec": {"spec": "carts", "task": "a\nb"}},
        {"spec": {"spec": "carts", "phase": 1}},
    ],
    ids=str,
)
def test_what_no_part_of_a_spec_can_be_is_refused(more):
    with pytest.raises(PostError):
        read(post(**more))
