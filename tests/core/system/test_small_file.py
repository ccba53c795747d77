"""config.toml, whatever is in its place: nobody hangs, and what can't be read is a mistake, never no settings."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from overmind_core.client.detach_keys import detach_keys
from overmind_core.errors import OvermindError
from overmind_core.kernel import config
from overmind_core.system.small_file import MOST, read_small_file
from overmind_tui.shell.settings import BadSettings
from overmind_tui.shell.settings import load as tui_settings

PLACES = {
    "a pipe": (os.mkfifo, "it is not a regular file"),
    "a device": (lambda path: os.symlink("/dev/zero", path), "it is not a regular file"),
    "a folder": (os.mkdir, "Is a directory"),
    "a large file": (lambda path: Path(path).write_bytes(b"#" * (MOST + 1)), "it is larger than 1024 KiB"),
    "a link to nothing": (lambda path: os.symlink("/nowhere/at/all", path), "it is a symbolic link to nothing"),
    "a link to itself": (lambda path: os.symlink(path, path), "Too many levels of symbolic links"),
}


def load(path):
    config.load(path, providers=())


@pytest.mark.parametrize("read", [load, detach_keys, tui_settings], ids=["daemon", "attach", "screen"])
@pytest.mark.parametrize("place", PLACES)
def test_what_is_no_file_of_settings_is_a_mistake(tmp_path, place, read):
    path = str(tmp_path / "config.toml")
    make, told = PLACES[place]
    make(path)
    with pytest.raises((OvermindError, BadSettings)) as refused:
        read(path)
    assert told in str(refused.value)


@pytest.mark.parametrize("place", ["a pipe", "a folder", "a large file"])
def test_what_is_refused_is_not_left_open(tmp_path, place):
    path = str(tmp_path / "config.toml")
    PLACES[place][0](path)
    before = os.dup(0)
    os.close(before)
    with pytest.raises(OSError, match=PLACES[place][1]):
        read_small_file(path)
    after = os.dup(0)
    os.close(after)
    assert after == before


def test_where_there_is_none_the_defaults_hold(tmp_path):
    path = str(tmp_path / "config.toml")
    assert read_small_file(path) is None
    assert config.load(path, providers=()).settings == config.Settings()
    assert detach_keys(path) == []


def test_a_link_to_a_file_is_that_file(tmp_path):
    (tmp_path / "real").write_bytes(b"x" * MOST)
    os.symlink("real", tmp_path / "config.toml")
    assert read_small_file(str(tmp_path / "config.toml")) == b"x" * MOST


def test_where_links_are_not_wanted_none_is_followed(tmp_path):
    (tmp_path / "real").write_bytes(b"x")
    os.symlink("real", tmp_path / "link")
    os.symlink("nothing", tmp_path / "dangling")
    for name in ("link", "dangling"):
        with pytest.raises(OSError, match="it is a symbolic link"):
            read_small_file(str(tmp_path / name), links=False)
    assert read_small_file(str(tmp_path / "real"), links=False) == b"x"
    assert read_small_file(str(tmp_path / "nothing"), links=False) is None


@pytest.mark.parametrize("damaged", [b"\xff", b"[logs"])
def test_a_damaged_copy_of_good_settings_is_written_anew(tmp_path, damaged):
    path, copy = str(tmp_path / "config.toml"), tmp_path / "config.last-good.toml"
    copy.write_bytes(damaged)
    with open(path, "w", encoding="utf-8") as file:
        file.write("[logs]\n")
    config.keep_copy(config.load(path, providers=()), str(copy))
    assert copy.read_text() == "[logs]\n"
