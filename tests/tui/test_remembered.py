"""What the program knows from its last time."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from overmind_core.system.paths import Home
from overmind_tui.shell.remembered import NAME, Remembered


@pytest.fixture
def home(tmp_path):
    return Home(str(tmp_path))


def test_what_was_put_is_there_the_next_time(home):
    first = Remembered(home)
    first.put(order="name:up", wide=True, history=[":stop"], used=1.5)
    first.save()
    again = Remembered(home)
    assert again.get("order", "age:down") == "name:up"
    assert again.get("wide", False) is True
    assert again.get("history", list[str]()) == [":stop"]
    assert again.get("used", 0.0) == 1.5


def test_two_programs_keep_what_the_other_put(home):
    one, other = Remembered(home), Remembered(home)
    one.put(order="cpu:down")
    other.put(wide=True)
    one.save()
    other.save()
    assert Remembered(home).get("order", "") == "cpu:down"


BROKEN = [b"", b"{", b"[]", b'"x"', b"\xff\xfe", b'{"order": 7, "history": [1], "wide": 1}', b"[" * 100_000]


@pytest.mark.parametrize("content", BROKEN)
def test_a_broken_file_is_as_good_as_none(home, content):
    with open(os.path.join(home.root, NAME), "wb") as file:
        file.write(content)
    found = Remembered(home)
    assert found.get("order", "age:down") == "age:down"
    assert found.get("history", ["a"]) == ["a"]
    assert found.get("wide", False) is False
    found.put(order="name:up")
    found.save()
    assert Remembered(home).get("order", "") == "name:up"


def test_a_home_that_takes_nothing_disturbs_nobody(tmp_path):
    nowhere = Remembered(Home(str(tmp_path / "missing")))
    nowhere.put(order="name:up")
    nowhere.save()
    assert not (tmp_path / "missing").exists()
    assert nowhere.get("order", "") == "name:up"


def test_only_its_owner_reads_the_file(home):
    kept = Remembered(home)
    kept.put(wide=True)
    kept.save()
    assert os.stat(os.path.join(home.root, NAME)).st_mode & 0o777 == 0o600


def test_two_programs_add_to_the_same_lists_and_tables(home):
    before = Remembered(home)
    before.put(history=["a", "b", "c"], drafts={"x": "old", "y": "gone"})
    before.save()
    one, other = Remembered(home), Remembered(home)
    one.put(history=["a", "b", "c", "one"], drafts={"x": "old", "one": "1"})
    other.put(history=["a", "c", "b", "other"], drafts={"x": "new", "y": "gone", "other": "2"})
    for program in (one, other):
        program.save()
    one.put(history=["a", "b", "c", "one", "more"], drafts={"x": "old"})
    one.save()
    found = Remembered(home)
    assert found.get("history", list[str]()) == ["a", "c", "one", "b", "other", "more"]
    assert found.get("drafts", {}) == {"x": "new", "other": "2"}


def test_programs_that_write_at_once_lose_nothing(home):
    programs = [Remembered(home) for _ in range(4)]

    def write(place):
        for number in range(10):
            programs[place].put(drafts={f"{place}.{one}": "text" for one in range(number + 1)})
            programs[place].save()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    assert len(Remembered(home).get("drafts", {})) == 40
