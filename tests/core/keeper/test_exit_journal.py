"""The journal of how runs ended: kept until all in it is committed, emptied only once it has grown."""

from __future__ import annotations

import json
import resource
import signal

import pytest

from overmind_core.keeper.exit_journal import LARGE, ExitJournal

ONE = {"run": "a1b2c3d4.1", "code": 0}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "exits.ndjson"


def grown(path, record=ONE):
    """A journal of more than it is worth to keep, and the exits in it."""
    line = json.dumps(record, separators=(",", ":")) + "\n"
    count = LARGE // len(line) + 1
    path.write_text(line * count, encoding="utf-8")
    return ExitJournal(str(path)), count


def test_a_small_journal_is_left_alone(path):
    exits = ExitJournal(str(path))
    exits.add(ONE)
    exits.truncate_if_large()
    assert json.loads(path.read_text(encoding="utf-8")) == ONE


def test_a_journal_is_emptied_once_it_has_grown_and_goes_on(path):
    exits, _ = grown(path)
    exits.truncate_if_large()
    assert path.read_bytes() == b""
    exits.add(ONE)
    exits.truncate_if_large()
    assert json.loads(path.read_text(encoding="utf-8")) == ONE, "it begins to grow anew"


def test_a_journal_grows_by_what_is_added_to_it(path):
    exits = ExitJournal(str(path))
    exits.add({**ONE, "reason": "x" * LARGE})
    exits.truncate_if_large()
    assert path.read_bytes() == b""


@pytest.fixture
def full_disk():
    """Writes behind so many bytes of a file fail from now on."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    signal.signal(signal.SIGXFSZ, ignored)


def test_a_journal_that_the_disk_has_not_taken_whole_is_not_emptied(path, full_disk):
    exits, count = grown(path)
    full_disk(path.stat().st_size + 5)
    exits.add(ONE)
    assert exits.is_due
    exits.truncate_if_large()
    assert path.read_bytes().count(b"\n") == count, "the last one stands in it half"
    full_disk(resource.RLIM_INFINITY)
    exits.flush()
    assert not exits.is_due
    assert [json.loads(line) for line in path.read_bytes().splitlines()] == [ONE] * (count + 1)
    exits.truncate_if_large()
    assert path.read_bytes() == b""
