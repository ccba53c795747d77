"""The folders of an attempt: whole and new, private, and no way out of them."""

from __future__ import annotations

import os

import pytest

from overmind_core.quests import input_folder
from overmind_core.quests.input_folder import attempt_folders, handed_in, make_spare, prepare
from overmind_core.system.paths import Home
from overmind_core.system.remove_tree import remove_tree
from tests.kit import in_process
from tests.kit.in_process import ScriptedKeeper, supervising, until

ID = "a1b2c3d4"
FILES = {
    "brief.md": b"do it",
    "needs/login/TSK-001/api": b"\xff\0",
    "needs/login/TSK-001/result.md": b"",
    "spec/a.md": b"a",
}


@pytest.fixture
def home(tmp_path):
    return Home(str(tmp_path / "home"))


def read(folder):
    found = {}
    for where, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(where, name)
            with open(path, "rb") as file:
                found[os.path.relpath(path, folder)] = file.read()
    return found


def test_an_attempt_finds_its_files_and_an_empty_folder(home):
    folders = prepare(home, ID, FILES)
    assert folders == attempt_folders(home, ID)
    assert read(folders.inputs) == FILES
    assert os.listdir(folders.outputs) == []


def test_nobody_else_can_look_in(home):
    before = os.umask(0)
    try:
        folders = prepare(home, ID, FILES)
    finally:
        os.umask(before)
    for where, _, names in os.walk(os.path.dirname(folders.inputs)):
        assert os.stat(where).st_mode & 0o077 == 0
        assert all(os.stat(os.path.join(where, name)).st_mode & 0o077 == 0 for name in names)


def test_of_the_attempt_before_nothing_is_left(home):
    folders = prepare(home, ID, FILES)
    with open(os.path.join(folders.outputs, "old.json"), "w") as file:
        file.write("{}")
    os.mkdir(os.path.join(folders.inputs, "own"))
    assert prepare(home, ID, {"brief.md": b"again"}) == folders
    assert read(folders.inputs) == {"brief.md": b"again"}
    assert os.listdir(folders.outputs) == []
    assert sorted(os.listdir(os.path.dirname(folders.inputs))) == ["in", "out"]


@pytest.mark.parametrize("name", ["in", "out", "new.in", "new.out", "old.in", "old.out"])
@pytest.mark.parametrize("kind", ["link", "file", "folder", "pipe"])
def test_whatever_lies_in_its_place_is_replaced_and_not_followed(home, tmp_path, name, kind):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "kept").write_text("kept")
    place = os.path.join(home.root, "files", ID, name)
    os.makedirs(os.path.dirname(place))
    if kind == "link":
        os.symlink(elsewhere, place)
    elif kind == "pipe":
        os.mkfifo(place)
    elif kind == "folder":
        os.makedirs(os.path.join(place, "deep"))
        os.symlink(elsewhere, os.path.join(place, "deep", "link"))
    else:
        with open(place, "w"):
            pass
    folders = prepare(home, ID, FILES)
    assert read(folders.inputs) == FILES
    assert read(elsewhere) == {"kept": b"kept"}
    assert sorted(os.listdir(os.path.dirname(folders.inputs))) == ["in", "out"]


def test_a_link_in_the_place_of_its_private_folder_is_refused(home, tmp_path):
    os.makedirs(os.path.join(home.root, "files"))
    (tmp_path / "elsewhere").mkdir()
    os.symlink(tmp_path / "elsewhere", os.path.join(home.root, "files", ID))
    with pytest.raises(OSError, match="files"):
        prepare(home, ID, FILES)
    assert os.listdir(tmp_path / "elsewhere") == []


def test_until_all_is_written_the_attempt_before_keeps_its_folders(home, monkeypatch):
    folders = prepare(home, ID, FILES)
    write = input_folder._write

    def full(folder, path, data):
        if path[-1] == "second":
            raise OSError(28, "No space left on device")
        write(folder, path, data)

    monkeypatch.setattr(input_folder, "_write", full)
    with pytest.raises(OSError, match="No space"):
        prepare(home, ID, {"first": b"1", "second": b"2"})
    assert read(folders.inputs) == FILES
    monkeypatch.undo()
    prepare(home, ID, {"first": b"1"})
    assert read(folders.inputs) == {"first": b"1"}


def spare_folder(home):
    path = os.path.join(home.root, "files", ".spare")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    make_spare(path)
    return path


@pytest.mark.parametrize("files", [FILES, {"spec/a.md": b"a"}, {}], ids=["with a brief", "without", "none"])
def test_a_spare_folder_becomes_what_would_have_been_made(home, files):
    spare = spare_folder(home)
    before = os.umask(0)
    try:
        folders = prepare(home, ID, files, spare=spare)
    finally:
        os.umask(before)
    assert folders == attempt_folders(home, ID)
    assert read(folders.inputs) == files
    assert os.listdir(folders.outputs) == []
    assert os.listdir(os.path.join(home.root, "files")) == [ID]
    for where, _, names in os.walk(os.path.dirname(folders.inputs)):
        assert os.stat(where).st_mode & 0o077 == 0
        assert all(os.stat(os.path.join(where, name)).st_mode & 0o077 == 0 for name in names)


def test_a_spare_folder_that_is_gone_does_no_harm(home):
    spare = spare_folder(home)
    remove_tree(spare)
    assert read(prepare(home, ID, FILES, spare=spare).inputs) == FILES


def test_a_spare_folder_takes_the_place_of_nothing_that_is_there(home):
    """As after a kill -9 between the folders and the commit that tells whose they are."""
    folders = prepare(home, ID, {"brief.md": b"before", "feedback.md": b"before"})
    with open(os.path.join(folders.outputs, "old.json"), "w") as file:
        file.write("{}")
    assert prepare(home, ID, {"brief.md": b"again"}, spare=spare_folder(home)) == folders
    assert read(folders.inputs) == {"brief.md": b"again"}
    assert os.listdir(folders.outputs) == []
    assert os.listdir(os.path.join(home.root, "files")) == [ID]


def test_a_spare_folder_leads_through_no_link(home, tmp_path):
    os.makedirs(os.path.join(home.root, "files"))
    (tmp_path / "elsewhere").mkdir()
    os.symlink(tmp_path / "elsewhere", os.path.join(home.root, "files", ID))
    with pytest.raises(OSError, match="files"):
        prepare(home, ID, FILES, spare=spare_folder(home))
    assert os.listdir(tmp_path / "elsewhere") == []


def test_what_was_handed_in_is_read_as_it_is(home, tmp_path):
    out = prepare(home, ID, {}).outputs
    (tmp_path / "secret").write_text("secret")
    os.symlink(tmp_path / "secret", os.path.join(out, "link"))
    os.mkfifo(os.path.join(out, "pipe"))
    os.mkdir(os.path.join(out, "folder"))
    for name, data in (("whole.json", b"{}\n"), ("large", b"x" * 101), ("fits", b"x" * 100)):
        with open(os.path.join(out, name), "wb") as file:
            file.write(data)
    others = ("link", "pipe", "folder", "nothing", "../in/brief.md", "..", ".", "", "a\0b", "\ud800")
    found = handed_in(home, ID, ("whole.json", "large", "fits", *others), largest=100)
    assert found == ({"whole.json": b"{}\n", "fits": b"x" * 100}, others, ("large",))


def test_without_a_folder_nothing_was_handed_in(home):
    assert handed_in(home, ID, ("a",), largest=100) == ({}, ("a",), ())


def test_they_go_with_the_mission(home):
    async def story():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as inside:
            mission = await inside.run("true")
            folders = prepare(home, mission, FILES)
            os.mkdir(os.path.join(folders.outputs, "shut"), 0)
            keeper.exit(f"{mission}.1")
            await until(lambda: mission not in inside.app.registry.live)
            await inside.ask("rm", id=mission)
        keeper.close()
        return os.listdir(os.path.join(home.root, "files"))

    assert in_process.run(story()) == []
