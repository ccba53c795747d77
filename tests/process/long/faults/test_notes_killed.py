"""The supervisor is killed while it writes notes: each is as before or as after, and asked again it is done once."""

from __future__ import annotations

import pytest

from tests.kit import torture
from tests.process.faults.test_notes_killed import FILES, ROUNDS, Killed, files_with, forget, purge, remember

pytestmark = [pytest.mark.torture, pytest.mark.timeout(600 if torture.WHOLE else 120)]


@pytest.fixture
def killed(om, moments, tmp_path):
    om.mission("sleep 600")  # a keeper that has nothing to keep starts nobody
    return Killed(om, str(tmp_path), moments)


def edit(killed):
    word, other = killed.word(), killed.word()
    note = killed.write(word)
    asked = {"note": note, "change": "edit", "text": f"the {other} of it"}
    done = killed.killed_in("note_set", **asked)
    yield
    before = killed.note(note)
    assert (before["text"], before["versions"]) in [(f"the {word} of a note", 1)] * (not done) + [(asked["text"], 2)]
    killed.ask("note_set", **asked)
    assert [one["text"] for one in killed.note(note)["history"]] == [asked["text"], f"the {word} of a note"]
    assert (killed.with_word(word), len(killed.with_word(other))) == ([], 1)


def take_in(killed):
    word = killed.word()
    asked = {"files": files_with(killed, word), "request": f"i-{word}"}
    done = killed.killed_in("memory_import", **asked)
    yield
    assert len(killed.with_word(word)) in {FILES, *(() if done else (0,))}
    for _ in range(2):
        answer = killed.ask("memory_import", **asked)
        assert (answer["new"], answer["known"]) == (FILES, 0)
    found = killed.with_word(word)
    assert len(found) == FILES
    assert {one["versions"] for one in found} == {1}


def test_each_note_is_as_before_or_as_after_whenever_the_supervisor_is_killed(killed):
    first = killed.measure("remember", text="the first one")["id"]
    killed.measure("note_set", note=first, change="edit", text="edited")
    killed.measure("forget", notes=[first])
    killed.measure("forget", notes=[first], purge=True)
    killed.measure("memory_import", files=files_with(killed, killed.word()))
    for _ in range(ROUNDS):
        for story in (remember, edit, forget, purge, take_in):
            old = killed.om.supervisor_pid()
            playing = story(killed)
            next(playing)
            killed.again(old)
            for _ in playing:
                pass
    assert killed.om.ok("doctor", "--json")
