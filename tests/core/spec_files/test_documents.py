"""Documents are read from a folder in which anybody may have put anything."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from overmind_core.domain.specs.check import judge
from overmind_core.domain.specs.markdown import render
from overmind_core.domain.specs.reading import read
from overmind_core.domain.specs.shape import MAX_BYTES
from overmind_core.domain.specs.spec import PHASES
from overmind_core.spec_files.documents import (
    check_context,
    phase_of_file,
    read_document,
    read_folder,
    read_text,
    spec_folder,
    top_of,
)
from tests.kit.spec_documents import WHOLE

EXPLORE, REQUIREMENTS, DESIGN, TASKS, SYNC = PHASES


def markdown(phase):
    return render(read(phase, WHOLE[phase], title="Carts").document)


PLACES = {
    "a pipe": (os.mkfifo, "it is not a regular file"),
    "a device": (lambda path: os.symlink("/dev/zero", path), "it is a symbolic link"),
    "a link to a secret": (lambda path: os.symlink("/etc/passwd", path), "it is a symbolic link"),
    "a link to nothing": (lambda path: os.symlink("/nowhere/at/all", path), "it is a symbolic link"),
    "a link to itself": (lambda path: os.symlink(path, path), "it is a symbolic link"),
    "a folder": (os.mkdir, "Is a directory"),
    "a large file": (lambda path: Path(path).write_bytes(b"#" * (MAX_BYTES + 1)), "it is larger than 1024 KiB"),
    "half a character": (lambda path: Path(path).write_bytes("# tasks: ä".encode()[:-1]),
                         "the file is not UTF-8 from here on"),
    "another encoding": (lambda path: Path(path).write_bytes("# tasks: x".encode("utf-16")),
                         "the file is not UTF-8 from here on"),
    "an empty file": (lambda path: Path(path).touch(), "expected `# tasks: TITLE` first"),
    "zeros": (lambda path: Path(path).write_bytes(b"\0" * 4096), "expected `# tasks: TITLE` first"),
}  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_something_else_in_the_place_of_a_document_is_a_fault_of_it(tmp_path, place):
    make, told = PLACES[place]
    make(str(tmp_path / "tasks.md"))
    readings = read_folder(str(tmp_path))
    assert list(readings) == [TASKS]
    (fault,) = readings[TASKS].faults
    assert fault.text == told
    assert fault.code == ("too_large" if place == "a large file" else "invalid")


UNREADABLE = [place for place in PLACES if place not in {"an empty file", "zeros"}]


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("place", UNREADABLE)
def test_of_a_document_that_cannot_be_read_only_that_is_said(tmp_path, place, phase):
    make, told = PLACES[place]
    make(str(tmp_path / f"{phase}.md"))
    verdict = judge(read_folder(str(tmp_path))[phase])
    assert [fault.text for fault in verdict.vetoes] == [told]
    assert verdict.hints == ()
    assert not verdict.passes(0.0)


def test_a_folder_is_read_in_the_order_of_its_phases(tmp_path):
    for phase in (TASKS, EXPLORE):
        (tmp_path / f"{phase}.md").write_text(markdown(phase))
    (tmp_path / "design.new.md").write_text(markdown(DESIGN))
    readings = read_folder(str(tmp_path))
    assert {phase: reading.document for phase, reading in readings.items()} == {
        phase: read(phase, WHOLE[phase], title="Carts").document for phase in (EXPLORE, TASKS)
    }


@pytest.mark.parametrize("folder", ["nowhere", "file"])
def test_where_there_is_no_folder_there_are_no_documents(tmp_path, folder):
    (tmp_path / "file").touch()
    assert all(reading.faults for reading in read_folder(str(tmp_path / folder)).values())
    assert read_folder(str(tmp_path / "nowhere")) == {}


def test_a_document_is_read_from_json_by_its_name(tmp_path):
    path = tmp_path / "tasks.json"
    path.write_text(json.dumps(WHOLE[TASKS]))
    reading = read_document(str(path), TASKS, title="Carts")
    assert reading is not None
    assert reading.document == read(TASKS, WHOLE[TASKS], title="Carts").document
    assert read_document(str(tmp_path / "design.json"), DESIGN) is None


def test_a_document_with_a_fault_is_nothing_to_compare_with(tmp_path):
    (tmp_path / "requirements.md").write_text(markdown(REQUIREMENTS) + "## requirements\n")
    (tmp_path / "design.md").write_text(markdown(DESIGN))
    context = check_context(read_folder(str(tmp_path)), frozenset({"a"}))
    assert list(context.documents) == [DESIGN]
    assert context.files == {"a"}


PHASES_OF_FILES = [
    ("tasks.md", "", TASKS),
    ("tasks.json", "{}", TASKS),
    ("tasks.new.md", "", TASKS),
    ("notes.md", "# design: Carts\n", DESIGN),
    ("notes.md", "# notes\n", None),
    ("notes.json", "# design: Carts\n", None),
    ("notes.md", None, None),
]


@pytest.mark.parametrize(("name", "text", "phase"), PHASES_OF_FILES)
def test_a_file_says_its_phase_by_its_name_or_its_first_line(tmp_path, name, text, phase):
    if text is not None:
        (tmp_path / name).write_text(text)
    assert phase_of_file(str(tmp_path / name)) is phase


def test_a_pipe_says_no_phase(tmp_path):
    os.mkfifo(tmp_path / "notes.md")
    assert phase_of_file(str(tmp_path / "notes.md")) is None


def test_a_brief_is_read_up_to_its_own_size(tmp_path):
    (tmp_path / "brief.md").write_text("ab")
    assert read_text(str(tmp_path / "brief.md"), 2) == "ab"
    with pytest.raises(OSError, match="it is larger than"):
        read_text(str(tmp_path / "brief.md"), 1)


@pytest.mark.parametrize("top", ["/shop", "/"])
def test_the_folder_of_a_spec_tells_its_repository(top):
    assert top_of(spec_folder(top, "carts")) == top


@pytest.mark.parametrize("folder", ["/shop/specs/carts", "/shop/x.overmind/specs/carts", "/shop/.overmind/specs", "/"])
def test_any_other_folder_tells_none(folder):
    assert top_of(folder) is None
