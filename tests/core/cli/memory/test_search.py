"""`overmind search --transcripts`: what it asks of the daemon, and what people and programs read."""

from __future__ import annotations

import json

import pytest

from tests.kit.log_files import LogFiles

HUMAN = {"kind": "message_delivered", "run": 1, "text": "[human] look at the Limiter"}


@pytest.fixture
def searched(overmind, tmp_path):
    """Search the logs of a program that wrote something, and of an agent that somebody wrote to."""
    files = LogFiles(tmp_path / "logs" / "000001")
    files.out(b"the limiter waits for redis\nredis\x1b[1m\x07 \xe2\x80\xaeis there\n" + b"x" * 200 + b" limit\n", 9.0)
    run = {"number": 1, "path": files.path, "format": None, "out": files.ends[0], "err": 0}
    api = {"id": "a1b2c3d4", "name": "api", "provider": "raw", "runs": [run], "annotations": []}
    agent = {"id": "b1b2c3d4", "name": "agent", "provider": "claude", "runs": [], "annotations": [HUMAN | {"at": 8.0}]}

    def search(*words, **how):
        answer = {"ok": {"missions": [api, agent], "seq": 9}}
        return overmind({"logs": [answer]}, "search", "--transcripts", *words, **how)

    return search


def test_a_row_says_where_and_when_and_who(searched):
    ran = searched("limiter")
    assert ran.out.splitlines()[0].split() == ["ID", "NAME", "WHEN", "WHO", "LINE"]
    assert [line.split()[0] for line in ran.out.splitlines()[1:]] == ["a1b2c3d4", "b1b2c3d4"]
    assert ran.requests == [("logs", {"kinds": ["prompt", "message_delivered", "answer_found"], "hidden": True})]


def test_json_has_moments_runs_and_lines(searched):
    (row, *_) = json.loads(searched("redis", "limiter", "--json").out)
    assert row == {
        "id": "a1b2c3d4", "name": "api", "at": "1970-01-01T00:00:09.000Z", "provider": "raw", "run": 1,
        "who": "output", "line": "the limiter waits for redis",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("redis", "-there"), ["the limiter waits for redis"]),
        (("redis", "-limiter", "-x", "--since", "1970-01-01T00:00:01Z"), ["redis is there"]),
        (("waits for",), ["the limiter waits for redis"]),
        (("-waits", "limiter"), ["look at the Limiter"]),
        (("limiter", "--provider", "claude"), ["look at the Limiter"]),
        (("limiter", "-o", "json", "--limit", "1", "--", "-look"), ["the limiter waits for redis"]),
        (("-",), ["redis is there", "the limiter waits for redis"]),
    ],
)
def test_words_are_looked_for_as_they_are_typed(searched, words, found):
    assert [row["line"] for row in json.loads(searched(*words, "--json", stdin=b"redis").out)] == found


def test_a_word_far_behind_the_beginning_of_its_line_is_shown(searched):
    line = searched("limit", "-limiter").out.splitlines()[1]
    assert line.endswith(f" …{'x' * 19} limit")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-redis",), "All words are to be left out"),
        (('redis "rate',), "A quote is not closed"),
        (("redis", "--kind", "fact"), "--kind and --transcripts can't be used together"),
        (("redis", "--episodes"), "--episodes and --transcripts can't be used together"),
        (("redis", "--provider", "cluade"), "Did you mean claude?"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_asked(searched, words, said):
    ran = searched(*words)
    assert (ran.status, ran.requests) == (2, [])
    assert said in ran.err


def test_options_of_transcripts_are_refused_without_them(overmind):
    ran = overmind({}, "search", "redis", "--since", "5m")
    assert (ran.status, ran.requests) == (2, [])
    assert "--since is for --transcripts" in ran.err


def test_a_person_is_told_that_there_is_more(searched):
    ran = searched("limiter", "--limit", "1")
    assert len(ran.out.splitlines()) == 2
    assert "These are the newest 1." in ran.err
