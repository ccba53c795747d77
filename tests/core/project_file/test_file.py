"""The project's file on the disk: only a regular file of the project's own, and small."""

from __future__ import annotations

import hashlib
import os

import pytest

from overmind_core.domain.isolation.project import FILE
from overmind_core.domain.text.problems import Problems
from overmind_core.project_file import file
from overmind_core.project_file.file import Unreadable, load

TEXT = b"isolation: { setup: make }\n"


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


def test_what_is_found_is_what_was_summed(project):
    assert load(str(project)) is None
    (project / FILE).write_bytes(TEXT)
    found = load(str(project))
    assert found is not None
    assert (found.path, found.sha256) == (str(project / FILE), hashlib.sha256(TEXT).hexdigest())
    assert found.project.setup == ("make",)


def test_a_link_within_the_project_is_followed(project):
    (project / "config").mkdir()
    (project / "config/overmind.yml").write_bytes(TEXT)
    (project / FILE).symlink_to("config/overmind.yml")
    found = load(str(project))
    assert found is not None
    assert found.path == str(project / FILE)


def test_a_mistake_is_told_with_its_place(project):
    (project / FILE).write_bytes(b"isolation: { setpu: make }\n")
    with pytest.raises(Problems, match=r"^1:14: unknown key 'setpu'"):
        load(str(project))


def leaving(path):
    outside = path.parent.parent / "outside.yml"
    outside.write_bytes(TEXT)
    path.symlink_to(outside)


WRONG = {
    "is a symbolic link that leaves the project": leaving,
    "is a symbolic link to nothing": lambda path: path.symlink_to("gone"),
    "can't be opened: Too many levels of symbolic links": lambda path: path.symlink_to(FILE),
    "is not a regular file": os.mkdir,
    "is larger than 64 KiB": lambda path: path.write_bytes(b" " * 65537),
}


@pytest.mark.parametrize("why", WRONG)
def test_what_is_no_such_file_is_not_read(project, why):
    WRONG[why](project / FILE)
    with pytest.raises(Unreadable) as raised:
        load(str(project))
    assert (raised.value.path, raised.value.why) == (str(project / FILE), why)


def test_a_pipe_is_not_waited_for(project):
    os.mkfifo(project / FILE)
    with pytest.raises(Unreadable, match="is not a regular file"):
        load(str(project))


def test_a_link_that_is_turned_away_while_it_is_read_is_refused(project, monkeypatch):
    leaving(project / FILE)
    (project / "inside.yml").write_bytes(b"{}")
    turned = lambda path: str(project / "inside.yml") if path.endswith(FILE) else os.fspath(path)  # noqa: E731
    monkeypatch.setattr(os.path, "realpath", turned)
    with pytest.raises(Unreadable, match="leaves the project"):
        file.load(str(project))
