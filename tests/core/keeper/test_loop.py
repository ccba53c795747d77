"""Turns: who is served when, with a person waiting."""

from __future__ import annotations

import os
import socket

import pytest

from overmind_core.keeper.loop import BOOST, READ, WRITE, Loop, PortableWatch, Watch


class Source:
    def ready(self, _events):
        raise AssertionError("no turn is taken here")

    def failed(self):
        raise AssertionError("nothing fails here")


class Watched(Loop):
    """With its two descriptors."""

    awaited = other = -1


@pytest.fixture
def loop():
    """A loop and two descriptors that are ready: one that a person waits for, and another."""
    one = Watched()
    ends = [os.pipe() for _ in range(2)]
    for reading, writing in ends:
        os.write(writing, b"x")
        one.watch(reading, READ, Source())
    one.awaited, one.other = (reading for reading, _ in ends)
    one.prefer(one.awaited, on=True)
    yield one
    for fd in (fd for pair in ends for fd in pair):
        one.forget(fd)
        os.close(fd)


def served(loop):
    return {fd for fd, _ in loop._select(0.0)}


def test_everybody_is_served(loop):
    assert served(loop) == {loop.awaited, loop.other}


def test_after_a_key_only_those_who_are_awaited_are_served(loop):
    loop._boost_until = loop.mono + 100
    assert served(loop) == {loop.awaited}


def test_the_moment_ends(loop):
    loop.mono -= BOOST
    loop.boost()
    assert served(loop) == {loop.awaited, loop.other}


def test_who_is_no_longer_awaited_is_one_of_the_others(loop):
    loop.prefer(loop.awaited, on=False)
    loop.prefer(loop.awaited, on=False)
    loop._boost_until = loop.mono + 100
    assert served(loop) == set()


def test_what_is_awaited_stays_so_through_every_change(loop):
    loop.watch(loop.awaited, READ | WRITE, Source())
    loop.watch(loop.awaited, 0, Source())
    loop._boost_until = loop.mono + 100
    assert served(loop) == set()
    loop.watch(loop.awaited, READ, Source())
    loop._boost_until = loop.mono + 100
    assert served(loop) == {loop.awaited}


def test_keys_without_a_pause_take_about_a_tenth_of_the_time(loop):
    held = 0
    began = loop.mono
    for millisecond in range(1000):
        loop.mono = began + millisecond / 1000
        loop.boost()
        held += loop._boost_until > loop.mono
    assert held < 120


@pytest.fixture(params=[Watch, PortableWatch])
def watch(request):
    return request.param()


@pytest.fixture
def ends():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_a_descriptor_is_ready_for_what_is_waited_for_and_no_more(watch, ends):
    ours, theirs = ends
    assert watch.wait(0.0) == []
    watch.set(ours.fileno(), READ)
    assert watch.wait(0.0) == []
    theirs.send(b"x")
    assert watch.wait(0.0) == [(ours.fileno(), READ)]
    watch.set(ours.fileno(), READ | WRITE)
    assert watch.wait(None) == [(ours.fileno(), READ | WRITE)]
    watch.set(ours.fileno(), WRITE)
    assert watch.wait(0.0) == [(ours.fileno(), WRITE)]
    watch.set(ours.fileno(), 0)
    watch.set(ours.fileno(), 0)
    assert watch.wait(0.0) == []


@pytest.mark.parametrize("events", [READ, WRITE, READ | WRITE])
def test_who_hung_up_is_ready_for_all_that_is_waited_for(watch, ends, events):
    ours, theirs = ends
    watch.set(ours.fileno(), events)
    theirs.close()
    assert watch.wait(0.0) == [(ours.fileno(), events)]


def test_all_who_are_ready_are_served(watch):
    pairs = [os.pipe() for _ in range(20)]
    for reading, writing in pairs:
        watch.set(reading, READ)
        os.write(writing, b"x")
    assert sorted(watch.wait(0.0)) == sorted((reading, READ) for reading, _ in pairs)
    for reading, writing in pairs:
        watch.set(reading, 0)
        os.close(reading)
        os.close(writing)
