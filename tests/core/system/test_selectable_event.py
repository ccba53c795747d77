"""An event that a thread waits for beside what it reads."""

from __future__ import annotations

import gc
import select
import threading

import pytest

from overmind_core.system.selectable_event import SelectableEvent


@pytest.fixture
def event():
    event = SelectableEvent()
    yield event
    event.close()


def readable(event, seconds=0.0):
    return bool(select.select([event], [], [], seconds)[0])


def test_its_descriptor_is_readable_while_it_is_set(event):
    assert not readable(event)
    for _ in range(2):
        event.set()
        event.set()
        assert event.is_set()
        assert readable(event)
        event.clear()
        assert not event.is_set()
        assert not readable(event)


def test_a_thread_that_sets_it_ends_the_wait_of_another(event):
    threading.Thread(target=event.set).start()
    assert readable(event, 20)
    assert event.wait(20)


def test_it_may_be_set_more_often_than_its_buffer_holds(event):
    for _ in range(10_000):
        event.set()
    event.clear()
    assert not readable(event)


def test_set_and_cleared_once_it_was_closed_it_does_nothing():
    event = SelectableEvent()
    event.close()
    event.set()
    event.clear()
    assert event.fileno() == -1


def test_nobody_has_to_close_it():
    event = SelectableEvent()
    closing = event.close
    ring: list[object] = [event]
    ring.append(ring)
    del event, ring
    gc.collect()  # a socket that nobody closed is told here, and fails the test
    assert not closing.alive
