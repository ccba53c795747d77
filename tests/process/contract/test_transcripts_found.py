"""`search --transcripts`: it finds what missions wrote that run, have ended, or are on no books any more."""

from __future__ import annotations

import os

import pytest

from tests.kit.waiting import eventually

pytestmark = pytest.mark.own_home


def found(om, *words):
    return [
        (row["name"], row["run"], row["who"], row["line"])
        for row in om.json("search", "--transcripts", *words, "--json")
    ]


def test_live_ended_and_unrecorded_missions_are_searched_and_removed_ones_are_not(om):
    om.mission("echo a Needle of the first; exec sleep 100", "--name", "live")
    ended = om.mission("printf 'two\\r\\nneedles\\033[2J'", "--name", "ended")
    removed = om.mission("echo a needle that goes", "--name", "removed")
    for one in (ended, removed):
        om.wait_status(one, "stopped")
    om.ok("rm", removed)
    kept = om.path("logs/0000beef/000001")
    os.makedirs(kept)
    with open(os.path.join(kept, "out.0000000000000000"), "wb") as file:
        file.write(b"a needle without a record\n")
    lines = [("live", 1, "output", "a Needle of the first"), ("ended", 1, "output", "needles"),
             ("", 1, "output", "a needle without a record")]  # fmt: skip
    eventually(lambda: sorted(found(om, "needle")) == sorted(lines), what="the live one has written")
    assert found(om, "a needle", "-record") == [lines[0]]
    assert found(om, "needle", "--provider", "claude") == []


def test_each_run_and_both_streams_are_searched(om):
    command = "echo needle $OVERMIND_RUN out; echo needle err >&2; exit 3"
    mission = om.mission(command, "--no-tty", "--restart", "on-failure", "--max-restarts", "1", "--backoff", "1ms")
    om.wait_status(mission, "crashed")
    rows = found(om, "needle")
    assert sorted(run for _, run, _, _ in rows) == [1, 1, 2, 2]
    assert {line.split()[-1] for *_, line in rows} == {"out", "err"}
