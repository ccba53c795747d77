"""A document that an agent has made never takes the place of one that a person has written.

The law is held with a person who saves, and with an end of the process, right before each step on the disk.
"""

from __future__ import annotations

import os
from hashlib import sha256

import pytest

from overmind_core.specs import document_writing
from overmind_core.specs.document_writing import restore, write_document

NAME = "design.md"
OWN, PERSONS, NEW, LATER = b"agent's first\n", b"a person's\n", b"agent's second\n", b"a person's later\n"
STEPS = ("open", "link", "lstat", "rename", "unlink")


def digest(data):
    return sha256(data).hexdigest()


def put(folder, name, data):
    """Save as an editor does: a new file takes the place of the old one."""
    (folder / "draft").write_bytes(data)
    os.replace(folder / "draft", folder / name)


def content(folder):
    return {one.name: one.read_bytes() for one in folder.iterdir()}


def write(folder, data=NEW, own=(OWN,), beside=""):
    return write_document(str(folder), NAME, data, own={digest(one) for one in own}, beside=beside)


@pytest.mark.parametrize("before", [None, OWN, NEW])
def test_what_was_written_here_is_replaced(tmp_path, before):
    if before is not None:
        put(tmp_path, NAME, before)
    assert write(tmp_path) == (NAME, True, digest(NEW))
    assert content(tmp_path) == {NAME: NEW}


def test_what_a_person_has_written_stays_and_the_new_one_lies_beside_it(tmp_path):
    put(tmp_path, NAME, PERSONS)
    assert write(tmp_path) == ("design.new.md", False, digest(NEW))
    assert content(tmp_path) == {NAME: PERSONS, "design.new.md": NEW}
    assert write(tmp_path, b"third\n", own=(NEW,)) == ("design.new.md", False, digest(b"third\n"))
    put(tmp_path, "design.new.md", LATER)
    assert write(tmp_path, own=(b"third\n",)) == ("design.new-2.md", False, digest(NEW))
    assert content(tmp_path) == {NAME: PERSONS, "design.new.md": LATER, "design.new-2.md": NEW}


@pytest.mark.parametrize("kind", ["link", "folder", "large"])
def test_what_is_no_document_is_a_person_s_as_well(tmp_path, kind):
    if kind == "link":
        (tmp_path / "mine").write_bytes(OWN)
        (tmp_path / NAME).symlink_to(tmp_path / "mine")
    elif kind == "folder":
        (tmp_path / NAME).mkdir()
    else:
        (tmp_path / NAME).write_bytes(b"x" * ((1 << 20) + 1))
    assert write(tmp_path).name == "design.new.md"
    assert os.path.lexists(tmp_path / NAME)
    assert (tmp_path / "design.new.md").read_bytes() == NEW


def test_the_one_beside_goes_once_a_later_one_stands_unless_a_person_has_changed_it(tmp_path):
    put(tmp_path, "design.new.md", OWN)
    assert write(tmp_path, beside="design.new.md").stands
    assert content(tmp_path) == {NAME: NEW}
    put(tmp_path, "design.new.md", PERSONS)
    assert write(tmp_path, b"third\n", own=(NEW,), beside="design.new.md").stands
    assert content(tmp_path) == {NAME: b"third\n", "design.new.md": PERSONS}


class _KilledError(BaseException):
    """The process is gone here."""


class Disk:
    """`os` as the module sees it, which does something before its step of this number."""

    def __init__(self, before, at, *, ends=False):
        self._before, self._at, self._ends = before, at, ends
        self.steps = 0

    def __getattr__(self, name):
        real = getattr(os, name)
        if name not in STEPS:
            return real

        def step(*args, **named):
            self.steps += 1
            if self.steps == self._at:
                self._before()
            elif self._ends and self.steps > self._at:
                raise _KilledError  # nothing more happens, no clearing up either
            return real(*args, **named)

        return step


def kill():
    raise _KilledError


def steps_of_a_write(tmp_path, monkeypatch):
    folder = tmp_path / "counted"
    folder.mkdir()
    put(folder, NAME, OWN)
    disk = Disk(lambda: None, 0)
    monkeypatch.setattr(document_writing, "os", disk)
    write(folder)
    monkeypatch.undo()
    assert disk.steps > 5
    return disk.steps


def test_no_save_is_lost_whenever_it_comes_and_whenever_the_process_ends(tmp_path, monkeypatch):
    """Before each step: a save, an end, and both."""
    for at in range(1, steps_of_a_write(tmp_path, monkeypatch) + 1):
        for what in ("save", "end", "save and end"):
            folder = tmp_path / f"{at} {what}"
            folder.mkdir()
            put(folder, NAME, OWN)

            def happens(folder=folder, what=what):
                if "save" in what:
                    put(folder, NAME, PERSONS)
                if "end" in what:
                    kill()

            monkeypatch.setattr(document_writing, "os", Disk(happens, at, ends="end" in what))
            try:
                write(folder)
            except _KilledError:
                assert "end" in what
            monkeypatch.undo()
            if "save" in what:
                assert PERSONS in content(folder).values(), (at, what)
            restore(str(folder), NAME, {digest(OWN), digest(NEW)})
            after = write(folder)
            found = content(folder)
            assert found.pop(after.name) == NEW, (at, what)
            assert found == ({NAME: PERSONS} if "save" in what else {}), (at, what)


def test_a_file_system_without_second_names_of_files_does(tmp_path, monkeypatch):
    put(tmp_path, NAME, OWN)

    class NoLinks(Disk):
        def link(self, *_args, **_named):
            raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(document_writing, "os", NoLinks(lambda: None, 0))
    assert write(tmp_path).stands
    put(tmp_path, NAME, PERSONS)
    assert not write(tmp_path, b"third\n").stands
    monkeypatch.undo()
    assert content(tmp_path) == {NAME: PERSONS, "design.new.md": b"third\n"}


def test_what_was_left_aside_is_kept_beside_what_a_person_has_saved_since(tmp_path):
    put(tmp_path, f".{NAME}.old", PERSONS)
    put(tmp_path, NAME, LATER)
    restore(str(tmp_path), NAME, {digest(OWN)})
    assert content(tmp_path) == {NAME: LATER, "design.old.md": PERSONS}
    put(tmp_path, f".{NAME}.old", OWN)
    restore(str(tmp_path), NAME, {digest(OWN)})
    assert content(tmp_path) == {NAME: LATER, "design.old.md": PERSONS}
