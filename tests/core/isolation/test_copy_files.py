"""What is put into a worktree, and what never leaves the project or the worktree."""

from __future__ import annotations

import errno
import os
import stat

import pytest

from overmind_core.isolation import copy_files
from overmind_core.isolation.copy_files import PlacingFailed, copy_and_link


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "project"
    (folder / ".git").mkdir(parents=True)
    (folder / ".git" / "config").write_text("git")
    (folder / ".overmind" / "worktrees" / "1").mkdir(parents=True)
    return folder


@pytest.fixture
def worktree(source):
    return source / ".overmind" / "worktrees" / "1"


@pytest.fixture
def outside(tmp_path):
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "secret").write_text("secret")
    return folder


def write(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.fsencode(f"{name}\n"))


def files(folder):
    return sorted(str(one.relative_to(folder)) for one in folder.rglob("*") if not one.is_dir() or one.is_symlink())


def test_patterns_mean_what_a_shell_means(source, worktree):
    write(
        source, ".env", "config/a.local.yml", "config/b.yml", "config/.c.local.yml", "x/config/deep/d.key", "x/.h/e.key"
    )
    cases = {
        ".env": [".env"],
        "config/*.local.yml": ["config/a.local.yml"],
        "config/.*.yml": ["config/.c.local.yml"],
        "config": ["config/.c.local.yml", "config/a.local.yml", "config/b.yml"],
        "**/*.key": ["x/config/deep/d.key"],
        "**/**/**/**/d.key": ["x/config/deep/d.key"],
        "[.]env": [],
        "*": ["config/.c.local.yml", "config/a.local.yml", "config/b.yml", "x/.h/e.key", "x/config/deep/d.key"],
        ".env/x": [],
    }
    for number, (pattern, expected) in enumerate(cases.items()):
        folder = worktree / str(number)
        folder.mkdir()
        told = copy_and_link(str(source), str(folder), [pattern], [])
        assert files(folder) == expected, pattern
        assert told == tuple(f"copied: {one}" for one in expected) or not expected
        assert expected or told == (f"not copied: {pattern} does not exist",)


def test_folders_above_what_is_copied_or_linked_have_the_mode_of_the_projects(source, worktree):
    write(source, "app/web/.env", "lib/deep/data")
    (source / "app").chmod(0o750)
    before = os.umask(0o077)
    try:
        copy_and_link(str(source), str(worktree), ["app/web/.env"], ["lib/deep/data"])
    finally:
        os.umask(before)
    modes = [stat.S_IMODE((worktree / name).stat().st_mode) for name in ("app", "app/web", "lib", "lib/deep")]
    assert modes == [0o750, 0o755, 0o755, 0o755]


def test_modes_times_and_links_inside_are_kept_and_doing_it_again_does_nothing(source, worktree):
    write(source, "bin/run", "bin/data")
    (source / "bin/run").chmod(0o4750)
    os.utime(source / "bin/run", ns=(1_000, 2_000))
    (source / "bin/data").chmod(0o400)
    (source / "bin/again").symlink_to("run")
    (source / "bin/nowhere").symlink_to("gone")
    (source / "bin/empty").mkdir()
    (source / "bin").chmod(0o555)
    try:
        told = copy_and_link(str(source), str(worktree), ["bin"], [])
        assert told == ("copied: bin/again", "copied: bin/data", "copied: bin/nowhere", "copied: bin/run")
        made = worktree / "bin"
        assert stat.S_IMODE((made / "run").stat().st_mode) == 0o750
        assert (made / "run").stat().st_mtime_ns == 2_000
        assert stat.S_IMODE((made / "data").stat().st_mode) == 0o400
        assert os.readlink(made / "again") == "run"
        assert (made / "empty").is_dir()
        assert stat.S_IMODE(made.stat().st_mode) == 0o755
        assert copy_and_link(str(source), str(worktree), ["bin", "bin/run"], []) == ()
    finally:
        (source / "bin").chmod(0o755)


def test_what_the_worktree_has_is_left_as_it_is(source, worktree):
    write(source, "same", "other", "folder/x", "linked", "kept")
    write(worktree, "same", "folder")
    (worktree / "other").write_text("mine")
    (worktree / "kept").write_text("mine")
    (worktree / "linked").symlink_to("/nowhere")

    told = copy_and_link(str(source), str(worktree), ["same", "other", "folder", "linked"], ["kept"])

    assert told == (
        "not copied: other, because the worktree already has it",
        "not copied: folder/x, because the worktree has no folder folder",
        "not copied: linked, because the worktree already has it",
        "not linked: kept, because the worktree already has it",
    )
    assert (worktree / "other").read_text() == "mine"


def test_nothing_is_written_through_a_link_in_the_worktree(source, worktree, outside):
    write(source, "config/secret", "config/deep/new", "modules/x")
    (worktree / "config").symlink_to(outside)

    told = copy_and_link(str(source), str(worktree), ["config"], ["config/deep", "modules"])

    assert files(outside) == ["secret"]
    assert (outside / "secret").read_text() == "secret"
    assert told[-2:] == ("not linked: config/deep, because the worktree has no folder config", "linked: modules")


def test_nothing_that_leads_out_of_the_project_is_followed(source, worktree, outside):
    (source / "file").symlink_to(outside / "secret")
    (source / "folder").symlink_to(outside)
    (source / "up").symlink_to("../outside/secret")
    write(source, "real/x")
    (source / "real/out").symlink_to(outside)
    (source / "in").symlink_to("real")

    told = copy_and_link(
        str(source),
        str(worktree),
        ["file", "folder", "folder/*", "folder/secret", "up", "real", "in/x"],
        ["folder", "in"],
    )

    assert files(worktree) == ["in", "real/x"]
    assert os.readlink(worktree / "in") == str(source / "in")
    assert "not copied: real/out leads out of the project" in told
    assert "not linked: folder leads out of the project" in told
    assert "not copied: folder/secret does not exist" in told


def test_links_lead_to_the_persons_files_and_missing_ones_are_named(source, worktree):
    write(source, "node_modules/a/index.js")
    place_again = [copy_and_link(str(source), str(worktree), [], ["node_modules", "deep/.venv"]) for _ in range(2)]

    assert place_again[0] == ("linked: node_modules", "not linked: deep/.venv does not exist")
    assert place_again[1] == ("not linked: deep/.venv does not exist",)
    assert os.readlink(worktree / "node_modules") == str(source / "node_modules")


def test_devices_and_pipes_are_no_files(source, worktree):
    os.mkfifo(source / "pipe")
    assert copy_and_link(str(source), str(worktree), ["pipe"], []) == ("not copied: pipe is not a file",)


def test_names_that_are_no_utf8_are_copied_too(source, worktree):
    name = os.fsdecode(b"\xff.env")
    try:
        write(source, name)
    except OSError:
        pytest.skip("the file system takes UTF-8 only")
    assert copy_and_link(str(source), str(worktree), ["*.env"], []) == ("copied: \U0010dcff.env",)
    assert copy_and_link(str(source), str(worktree), ["\U0010dcff.env"], []) == ()
    assert os.listdir(worktree) == [name]


def test_a_crash_in_the_middle_leaves_no_half_file_under_its_name(source, worktree, monkeypatch):
    write(source, "a")
    monkeypatch.setattr(os, "rename", crash)
    with pytest.raises(KeyboardInterrupt):
        copy_and_link(str(source), str(worktree), ["a"], [])
    monkeypatch.undo()
    assert files(worktree) == []
    (worktree / copy_files.HALF).write_text("left by a crash that nothing could catch")

    assert copy_and_link(str(source), str(worktree), ["a"], []) == ("copied: a",)
    assert files(worktree) == ["a"]


def crash(*_args, **_named):
    raise KeyboardInterrupt


LIMITS = [
    (copy_files, "MOST_FILES", 3, "folder: more than 3 files match; link them instead of copying"),
    (copy_files, "MOST_BYTES", 3, "folder: more than 0 GB match; link them instead of copying"),
    (copy_files, "MOST_LOOKS", 3, "folder: too many files to search"),
]


@pytest.mark.parametrize(("where", "limit", "most", "message"), LIMITS)
def test_too_much_is_refused_before_anything_is_written(source, worktree, monkeypatch, where, limit, most, message):
    write(source, *(f"folder/{number}" for number in range(4)))
    monkeypatch.setattr(where, limit, most)
    with pytest.raises(PlacingFailed) as raised:
        copy_and_link(str(source), str(worktree), ["folder"], [])
    assert str(raised.value) == message
    assert files(worktree) == []


def test_very_many_files_are_one_line(source, worktree):
    write(source, *(f"folder/{number}" for number in range(30)))
    assert copy_and_link(str(source), str(worktree), ["folder"], []) == ("copied: 30 files",)


WHY = [(errno.ENOSPC, "the disk is full"), (errno.EDQUOT, "the disk is full"), (errno.EIO, "Input/output error")]


@pytest.mark.parametrize(("number", "why"), WHY)
def test_a_disk_that_is_full_is_named(source, worktree, monkeypatch, number, why):
    write(source, "a")

    def full(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(copy_files, "_write_all", full)
    with pytest.raises(PlacingFailed) as raised:
        copy_and_link(str(source), str(worktree), ["a"], [])
    assert (raised.value.path, raised.value.why) == ("a", why)
    assert files(worktree) == []


def test_a_worktree_that_is_gone_is_an_error(source, tmp_path):
    with pytest.raises(PlacingFailed, match="No such file"):
        copy_and_link(str(source), str(tmp_path / "gone"), [], [])
