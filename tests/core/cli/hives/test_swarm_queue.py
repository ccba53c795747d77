"""`overmind queue -H swarm`: what waits in a swarm, or what to type where nothing does."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from overmind_core.cli.quests.rows import time_and_cost
from overmind_core.cli.swarm import queue_there
from overmind_core.domain.text.moment import parse_time

POST = {"position": 1, "score": 2.5, "name": "docs", "priority": "medium", "why": "turn: 1 of 4 runs"}


@pytest.fixture
def queue_of(monkeypatch):
    def ask(posts):
        answer = {"used": 1, "slots": 4, "posts": posts}
        monkeypatch.setattr(queue_there, "swarm_client", lambda _context: SimpleNamespace(call=lambda _name: answer))
        out: list[str] = []
        hints: list[str] = []
        context: Any = SimpleNamespace(print=out.append, hint=hints.append)
        options: Any = SimpleNamespace(at=None, json=False)
        assert queue_there.queue(options, context) == 0
        return "\n".join(out).splitlines(), hints

    return ask


def test_an_empty_queue_says_what_to_type_next(queue_of):
    lines, hints = queue_of([])
    assert lines == ["running 1/4 · queued 0"]
    assert hints == ["Nothing waits. Post a quest with: overmind quest add 'Docs' --on any -- make docs"]


def test_what_waits_is_a_table_below_how_much_runs(queue_of):
    lines, hints = queue_of([POST])
    assert (lines[0], len(lines), hints) == ("running 1/4 · queued 1", 3, [])
    assert "docs" in lines[2]


def test_the_card_of_a_post_has_the_time_since_its_hive_took_it():
    now = parse_time("2026-01-01T00:10:00Z", 0.0)
    post = {"id": "a1", "name": "docs", "state": "claimed", "hive": "eu1", "phase": None, "priority": "medium",
            "reason": None, "posted_at": "2026-01-01T00:00:00Z", "ended_at": None, "cost_usd": None}  # fmt: skip
    cards = [queue_there._card({**post, **of}, None, now) for of in ({"claimed_at": "2026-01-01T00:08:00Z"}, {})]
    assert [time_and_cost(card) for card in cards] == ["2m", "10m"]
