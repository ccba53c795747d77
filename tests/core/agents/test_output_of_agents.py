"""The output of programs over pipes: its lines, and programs that open no conversation."""

from __future__ import annotations

import asyncio

import pytest

from overmind_core.agents import line_reader
from overmind_core.agents.line_reader import LineReader
from overmind_core.agents.results import told_end
from overmind_core.logs.layout import OUT
from overmind_core.logs.writer import RunLogWriter
from overmind_core.system.paths import Home
from tests.kit import in_process
from tests.kit.in_process import ScriptedKeeper, supervising, until, world

PIECES = [
    pytest.param([b"one\ntw", b"o\n\n", b"half"], [b"one", b"two", b""], b"half", id="a half line at the end"),
    pytest.param([b"{\n", b"  \n"], [b"{", b"  "], None, id="nothing at the end"),
    pytest.param([b"\xff\x00\n", b"\x00"], [b"\xff\x00"], b"\x00", id="no text"),
    pytest.param([b"x" * 300, b"\nnext\n"], [b"x" * 300, b"next"], None, id="longer than a window"),
]


@pytest.mark.parametrize(("pieces", "lines", "rest"), PIECES)
def test_each_line_is_read_once_in_whatever_pieces_it_comes(tmp_path, monkeypatch, pieces, lines, rest):
    monkeypatch.setattr(line_reader, "WINDOW", 128)
    writer = RunLogWriter(str(tmp_path), "m.1", limit=1 << 20, segment=1 << 16)
    reader, found = LineReader(f"{tmp_path}/m/000001", 0), []
    for piece in pieces:
        writer.append(OUT, piece, 0.0)
        found += read(reader, writer.offsets[OUT])
        again = LineReader(f"{tmp_path}/m/000001", reader.offset)  # of whoever takes over here
        assert read(again, writer.offsets[OUT]) == []
    left = reader.remainder()
    writer.close()
    assert (found, None if left is None else left.data) == (lines, rest)


def test_of_a_line_beyond_the_longest_nothing_more_is_held_and_the_next_one_is_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(line_reader, "LONGEST_LINE", 1000)
    monkeypatch.setattr(line_reader, "WINDOW", 128)
    writer = RunLogWriter(str(tmp_path), "m.1", limit=1 << 20, segment=1 << 16)
    writer.append(OUT, b"x" * 5000 + b"\nnext\n", 0.0)
    long, following = read(LineReader(f"{tmp_path}/m/000001", 0), writer.offsets[OUT])
    writer.close()
    assert (len(long) <= 1000, following) == (True, b"next")


def read(reader, until_):
    found = []
    while reader.position < until_:
        found += [line.data for line in reader.lines(until_)]
    return found


def play(folder, provider, work, **how):
    """A mission of that provider whose program does as `work` says; its final `info`, and its log's own lines."""
    environment = world(str(folder), provider)
    home = Home(str(folder / "home"))

    async def story():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as inside:
            mission = await inside.run("say hi", provider=provider, env=environment, **how)
            await work(inside, keeper, mission)
            await until(lambda: mission not in inside.app.registry.live)
            texts = [event.get("text") or "" for event in inside.events(mission)]
            found = await inside.ask("info", id=mission), texts, b"".join(keeper.typed[f"{mission}.1"])
        keeper.close()
        return found

    return in_process.run(story())


OPENS_WITHIN = {"codex": 60, "opencode": 180}
"""Seconds for which each is waited; opencode starts slowly."""
KINDS = [(provider, kind) for provider in ("codex", "opencode") for kind in ("task", "session")]


@pytest.mark.parametrize(("provider", "kind"), KINDS)
def test_a_handshake_that_is_never_answered_ends_the_run(tmp_path, provider, kind):
    async def work(inside, keeper, mission):
        await asyncio.sleep(OPENS_WITHIN[provider] - 5)
        assert not inside.app.registry.live[mission].ending
        await until(lambda: inside.app.registry.live[mission].ending, "it is ended")
        keeper.exit(f"{mission}.1", -15)

    info, texts, typed = play(tmp_path, provider, work, type=kind)
    assert (info["status"], info["reason"]) == ("crashed", "no_handshake")
    assert f"--- stopped: {provider} did not open a conversation within {OPENS_WITHIN[provider]} s ---" in texts
    assert b"session/prompt" not in typed
    assert b"turn/start" not in typed


@pytest.mark.parametrize("said", [b"", b"a banner\n", b'{"id":"op'])
@pytest.mark.parametrize(("provider", "kind"), KINDS)
@pytest.mark.parametrize("code", [0, 1])
def test_an_end_before_the_handshake_is_no_success(tmp_path, provider, kind, code, said):
    async def work(_inside, keeper, mission):
        if said:
            keeper.write(f"{mission}.1", said)
        keeper.exit(f"{mission}.1", code)

    info, _, _ = play(tmp_path, provider, work, type=kind)
    assert (info["status"], info["reason"]) == ("crashed", "no_conversation" if code == 0 else None)


def test_one_that_is_stopped_before_the_handshake_has_not_failed(tmp_path):
    async def work(inside, keeper, mission):
        stopping = asyncio.ensure_future(inside.ask("stop", id=mission))
        await until(lambda: inside.app.registry.live[mission].ending)
        keeper.exit(f"{mission}.1", 0)
        await stopping

    info, _, _ = play(tmp_path, "opencode", work, type="session")
    assert (info["status"], info["reason"]) == ("stopped", None)


ENDS = [
    (b"whole\nlines\n", 12, b"whole\nlines\n"),
    (b"", 1000, b""),
    (b"alf\nnext\n", 1009, b"--- the first 1,004 bytes are left out; overmind logs --raw has them ---\nnext\n"),
    (b"\xa9t", 1002, b"--- the first 1,001 bytes are left out; overmind logs --raw has them ---\nt"),
    (b"alf\n", 1004, b"--- the first 1,000 bytes are left out; overmind logs --raw has them ---\nalf\n"),
]


@pytest.mark.parametrize(("end", "whole", "said"), ENDS)
def test_the_end_of_a_long_answer_begins_with_a_line_that_says_so(end, whole, said):
    assert told_end(end, whole) == said
