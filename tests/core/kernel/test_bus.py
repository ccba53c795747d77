"""The bus, and what follows from a commit: one feature's mistake stops nobody else."""

from __future__ import annotations

import asyncio
import logging
from typing import NamedTuple

from overmind_core.kernel.bus import Bus
from overmind_core.kernel.database import Database, MetaTable
from overmind_core.kernel.journal import Journal


class Happened(NamedTuple):
    what: str


class Odd(Exception):
    pass


def fails(_fact: object) -> None:
    raise Odd


def test_everybody_who_subscribed_hears_it_in_the_order_of_subscription():
    bus = Bus()
    heard: list[object] = []
    bus.subscribe(Happened, lambda fact: heard.append(("first", fact.what)))
    bus.subscribe(Happened, lambda fact: heard.append(("second", fact.what)))
    bus.publish(Happened("x"))
    assert heard == [("first", "x"), ("second", "x")]


def test_a_fact_that_nobody_subscribed_to_is_told_to_nobody():
    Bus().publish(Happened("x"))


def test_a_subscriber_of_a_type_hears_the_types_below_it():
    class Base: ...

    class Below(Base): ...

    bus = Bus()
    heard: list[object] = []
    bus.subscribe(Base, heard.append)
    bus.publish(below := Below())
    assert heard == [below]


def test_a_handler_that_fails_is_logged_by_name_and_the_next_is_called(caplog):
    bus = Bus()
    heard: list[object] = []
    bus.subscribe(Happened, fails)
    bus.subscribe(Happened, heard.append)
    with caplog.at_level(logging.ERROR):
        bus.publish(Happened("x"))
    assert heard == [Happened("x")]
    assert "fails failed on Happened" in caplog.text


def test_a_follow_up_that_fails_neither_drops_the_others_nor_leaves_the_waiters_waiting(tmp_path, caplog):
    """Seen with three changes: the second raised, only the first was followed, and `saved()` never came back."""
    database = Database.open(str(tmp_path / "state.db"))
    followed: list[str] = []

    async def scene() -> None:
        journal = Journal(database, asyncio.get_running_loop())
        journal.save(lambda: None, lambda: followed.append("first"))
        journal.save(lambda: None, lambda: fails(None))
        journal.save(lambda: None, lambda: followed.append("third"))
        await asyncio.wait_for(journal.saved(), 30)
        journal.close()

    with caplog.at_level(logging.ERROR):
        asyncio.run(scene())
    database.close()
    assert followed == ["first", "third"]
    assert "a step after a commit failed" in caplog.text


def test_a_write_that_fails_by_a_mistake_is_dropped_alone_and_nobody_waits_for_ever(tmp_path, caplog):
    database = Database.open(str(tmp_path / "state.db"))

    async def scene() -> None:
        journal = Journal(database, asyncio.get_running_loop())
        meta = MetaTable(database)
        journal.save(lambda: meta.save("first", "kept"))
        journal.save(lambda: fails(None))
        journal.save(lambda: meta.save("third", "kept"))
        await asyncio.wait_for(journal.saved(), 30)
        journal.close()

    with caplog.at_level(logging.ERROR):
        asyncio.run(scene())
    kept = [MetaTable(database).get(key) for key in ("first", "third")]
    database.close()
    assert kept == ["kept", "kept"]
    assert "a change that can't be stored was dropped" in caplog.text
