"""The notes that runs are given, through the command line: what fits, whole, within the room, and never too late."""

from __future__ import annotations

import os
from hashlib import sha256

import pytest

from tests.kit.noted_shop import Shop
from tests.kit.repositories import Repository

pytestmark = pytest.mark.shared_home

SAID = "The rate limiter keeps its buckets in Redis"
QUESTION = "Mend the rate limiter, whose buckets are in Redis"


@pytest.fixture
def shop(om, tmp_path):
    """A repository of a team."""
    return Shop.make(om, tmp_path)


def only_of(number):
    """A long word that no other note has."""
    return sha256(str(number).encode()).hexdigest()


def ids(used):
    return [one["id"] for one in used["notes"]]


def test_of_nine_that_fit_five_are_given_whole_within_the_tokens_the_pinned_first_and_the_rest_is_counted(shop):
    notes = {shop.write(f"{SAID}: {only_of(number)}"): only_of(number) for number in range(9)}
    pinned = shop.write("Always run make check", "--pin")
    used = shop.used("rate limiter buckets Redis")
    assert (used["notes"][0]["id"], used["notes"][0]["why"]) == (pinned, "pinned")
    assert (len(used["notes"]), used["left_out"]) == (5, 5)
    assert used["tokens"] == -(-len(used["text"]) // 4) <= 1500
    for one in ids(used)[1:]:
        assert f"\n  | {SAID}: {notes[one]}\n" in used["text"]
    for note, word in notes.items():
        shop.ok("note", "edit", note, "--text", f"{SAID}: {word * 30}")
    used = shop.used("rate limiter buckets Redis")
    count, left_out = len(used["notes"]), used["left_out"]
    assert 1 < count < 5
    assert (count + left_out, used["tokens"] <= 1500) == (10, True)
    line = f"[memory] {count} notes, {used['tokens']} tokens: {' '.join(ids(used))} ({left_out} left out)\n"
    assert shop.om.logs(used["mission"]) == line


def test_of_opposites_one_is_given_and_names_the_other(shop):
    need, need_not = shop.write("tests need redis"), shop.write("tests do not need redis")
    used = shop.used("Do the tests need redis?")
    assert ids(used) == [need_not]
    assert f", like {need}, which may say the opposite\n" in used["text"]
    assert used["left_out"] == 0


def test_votes_raise_a_note_and_what_hurts_rests_until_it_is_edited(shop):
    twin = shop.write("The rate limiter keeps its buckets in Redis, number two")
    better = shop.write("The rate limiter keeps its buckets in Redis, number one")
    newer = shop.write("The rate limiter keeps its buckets in Redis, number six")
    assert shop.found("recall", "rate limiter buckets") == [newer, better, twin]
    shop.ok("helped", better)
    for _ in range(4):
        shop.inside(f"overmind helped {better}")
    assert shop.found("recall", "rate limiter buckets") == [better, newer, twin]
    assert "  +5 -0  words\n" in shop.ok("recall", "rate limiter buckets", "--limit", "1")
    for note in (newer, twin):
        shop.ok("forget", note)
    worse = shop.write("Buckets of the rate limiter hurt in Redis")
    assert set(ids(shop.used(QUESTION))) == {better, worse}
    assert shop.ok("hurt", worse) == f"{worse} helped 0, hurt 1\n"
    assert shop.inside(f"overmind hurt {worse}")[1] == f"{worse} helped 0, hurt 2\n"
    assert worse in shop.found("search", "limiter")
    assert shop.found("notes", "--resting") == [worse]
    assert "State:    live, rests\n" in shop.ok("note", worse)
    assert ids(shop.used(QUESTION)) == [better]
    shop.ok("note", "edit", worse, "--text", "Buckets of the rate limiter help in Redis")
    assert set(ids(shop.used(QUESTION))) == {better, worse}


def test_each_given_note_says_why_and_what_shares_little_is_not_given(shop):
    shop.code.write({"web/index.html": ""})
    by_words = shop.write("The rate limiter keeps its buckets in Redis")
    by_name = shop.write("getUserName caches for a minute")
    by_path = shop.write("Nobody may import from here", "--file", "web/*.html")
    pinned = shop.write("Commits are signed", "--pin")
    question = f"{QUESTION}. Then rename get_user_name in web/index.html"
    why = {one["id"]: one["why"] for one in shop.used(question)["notes"]}
    assert why == {by_words: "words", by_name: "identifier", by_path: "path", pinned: "pinned"}
    shop.ok("note", "unpin", pinned)
    for nothing in (
        "Start it with what you have, and see that it is made in a minute",
        "Look at redis",
        "Write a poem",
    ):
        used = shop.used(nothing)
        assert (used["text"], used["notes"], used["left_out"], shop.om.logs(used["mission"])) == ("", [], 0, "")


def test_a_search_that_hangs_delays_nobody_and_hinders_no_other_project(shop, tmp_path):
    hung = Repository(str(tmp_path / "hung"))
    hung.git("config", "include.path", str(tmp_path / "fifo"))
    os.mkfifo(tmp_path / "fifo")  # git waits for whoever writes to it
    other = Repository(str(tmp_path / "other"))
    note = shop.write("The rate limiter keeps its buckets in Redis", "--scope", "global")
    try:
        words = ["cat", "--", "/dev/null"]
        ran = shop.om.finished(words, "--memory", "--cwd", hung.folder)
        assert (ran["status"], ran["exit_code"]) == ("stopped", 0)
        assert shop.om.logs(ran["id"]) == "[memory] no notes: the search took longer than 300 ms\n"
        assert shop.om.ok("memory", "used", ran["id"]) == ""
        assert note in shop.found("recall", "rate limiter", cwd=other.folder)
        assert "does not answer" in shop.refused("recall", "rate limiter", code="busy", cwd=hung.folder)
    finally:
        (tmp_path / "empty").touch()
        writer = os.open(tmp_path / "fifo", os.O_RDWR | os.O_NONBLOCK)
        os.replace(tmp_path / "empty", tmp_path / "fifo")
        os.close(writer)  # the git that waits has read all there is
        shop.ok("forget", note)
