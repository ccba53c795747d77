"""Turns: who is served when, with a person waiting."""

from __future__ import annotations

import os

import pytest

from overmind_core.keeper.loop import BOOST, READ, WRITE, Loop


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
    return {key.fd for key, _ in loop._select(0.0)}


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
    loop._boost_until = loop.mono + 0.01
    assert served(loop) == set()


def test_what_is_awaited_stays_so_through_every_change(loop):
    loop.watch(loop.awaited, READ | WRITE, Source())
    loop.watch(loop.awaited, 0, Source())
    loop._boost_until = loop.mono + 0.01
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
