"""What changed in a mission's folder, its definition, its description, and what a page of text can do."""

from __future__ import annotations

import subprocess
import sys
import uuid
from datetime import UTC

import pytest

from overmind_core.log_pages import pattern
from overmind_core.system.run_mark import OWN_MARK
from overmind_core.view import describe, diff
from overmind_core.view.cells import Cell
from overmind_tui.changes import page as changes_page
from overmind_tui.missions import actions_look
from overmind_tui.widgets.lines import CursorTextView, TextView
from tests.kit.processes import with_word
from tests.kit.waiting import eventually
from tests.tui.conftest import picture
from tests.tui.test_pictures import Still
from tests.tui.test_traps import run as run_program


def run(folder, *words):
    subprocess.run(["git", "-c", "user.name=n", "-c", "user.email=a@b", *words], cwd=folder, check=True,
                   capture_output=True)  # fmt: skip


@pytest.fixture
def repository(tmp_path):
    """Two commits behind, one change of each kind ahead."""
    folder = tmp_path / "repository"
    folder.mkdir()
    run(folder, "init", "-q", "-b", "main")
    for name in ("changed", "deleted", "old name", "binary"):
        (folder / name).write_text("".join(f"{name} {line}\n" for line in range(20)) + "\0" * (name == "binary"))
    run(folder, "add", "-A")
    run(folder, "commit", "-q", "-m", "first [red]")
    (folder / "changed").write_text((folder / "changed").read_text().replace("changed 7\n", "seven [b]\n"))
    (folder / "deleted").unlink()
    run(folder, "mv", "old name", "new name")
    (folder / "binary").write_bytes(b"\0\1")
    (folder / "grüße \x1b[2J").write_text("new\n")
    return folder


def text_of(found, since=""):
    return diff.text(diff.of_git(*found, since))  # type: ignore[call-arg] # a tuple of unknown length


def shown(text):
    return "\n".join("".join(cell.text for cell in line) for line in text.lines)


def test_what_changed_comes_first_then_the_diff_of_each_file(repository):
    found = changes_page.git_changes(str(repository), {"PATH": "/usr/bin:/bin"}, since="2020-01-01T00:00:00Z")
    text = text_of(found, "2020")
    lines = shown(text).splitlines()
    assert lines[0] == " main  4 changed, 1 new  +1 −21"
    assert lines[1] == " Its folder is shared: this is all that is not committed there."
    assert "commits since 2020" in lines[3]
    assert lines[4].endswith("first [red]")
    files = diff.of_git(*found, "2020").files
    listed = ["".join(cell.text for cell in diff.listed(file, 24, chosen=False)) for file in files]
    assert listed == [
        " M binary               ", " M changed         +1 −1", " D deleted           −20", " R new name             ",
        listed[4],
    ]  # fmt: skip
    assert listed[4].startswith(" ? grüße")
    assert "\x1b" not in shown(text) + "".join(listed)
    assert text.paths == ("binary", "changed", "deleted", "new name")
    headings = [lines[at].split("  ")[0].strip() for at in text.begins]
    assert headings == ["changed binary", "changed changed", "deleted deleted", "renamed old name → new name"]


def test_each_line_of_a_diff_has_its_place_in_the_file(repository):
    text = text_of(changes_page.git_changes(str(repository), {"PATH": "/usr/bin:/bin"}, since=None))
    said = {spot.text: spot.place for spot in text.spots.values() if spot.path == "changed"}
    assert said["-changed 7"] == "changed:8"
    assert said["+seven [b]"] == "changed:8"
    assert said[" changed 8"] == "changed:9"
    assert all(spot.path in {"changed", "deleted"} for spot in text.spots.values())


def test_nothing_changed_and_no_commit_yet_are_no_errors(tmp_path):
    run(tmp_path, "init", "-q", "-b", "main")
    found = changes_page.git_changes(str(tmp_path), {"PATH": "/usr/bin:/bin"}, since=None)
    assert "no uncommitted changes" in shown(text_of(found))
    (tmp_path / "file").write_text("one\n")
    run(tmp_path, "add", "file")
    found = changes_page.git_changes(str(tmp_path), {"PATH": "/usr/bin:/bin"}, since="2020-01-01T00:00:00Z")
    assert "+one" in shown(text_of(found))


def test_only_what_is_below_the_folder_counts(repository):
    (repository / "sub").mkdir()
    (repository / "sub" / "mine").write_text("x")
    found = changes_page.git_changes(str(repository / "sub"), {"PATH": "/usr/bin:/bin"}, since=None)
    assert found.status == "?? sub/\0"
    assert found.diff == ""


def test_where_git_can_not_say_anything_it_is_said_why(tmp_path):
    for folder, path, sentence in (
        (tmp_path, "/usr/bin:/bin", "is not in a git repository"),
        (tmp_path / "gone", "/usr/bin:/bin", "does not exist"),
        (tmp_path, "/nowhere", "git is not on PATH"),
    ):
        with pytest.raises(changes_page.GitFailed, match=sentence):
            changes_page.git_changes(str(folder), {"PATH": path, "HOME": str(tmp_path)}, since=None)


def test_nothing_that_the_folder_names_is_run(repository, tmp_path):
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\n")
    trap.chmod(0o755)
    for key in ("core.fsmonitor", "diff.external", "core.pager", "diff.x.textconv"):
        run(repository, "config", key, str(trap))
    filter_ = tmp_path / "filter"
    filter_.write_text(f"#!/bin/sh\ngrep msgqueue /proc/self/limits > {tmp_path}/limits\ncat\n")
    filter_.chmod(0o755)
    run(repository, "config", "filter.x.clean", str(filter_))
    (repository / ".gitattributes").write_text("* diff=x filter=x\n")
    changes_page.git_changes(str(repository), {"PATH": "/usr/bin:/bin", "GIT_EXTERNAL_DIFF": str(trap)}, since=None)
    assert not (tmp_path / "sprung").exists()
    if sys.platform == "linux":  # what has to run, for a diff would be wrong without it, is known as the mission's
        assert (tmp_path / "limits").read_text().split()[-3:-1] == [str(OWN_MARK), str(OWN_MARK)]
    assert not (repository / ".git" / "index.lock").exists()


def test_a_huge_diff_is_cut_with_a_note(repository, monkeypatch):
    monkeypatch.setattr(changes_page, "MOST", 1_000_000)
    (repository / "changed").write_text("0123456789\n" * 300_000)
    found = changes_page.git_changes(str(repository), {"PATH": "/usr/bin:/bin"}, since=None)
    text = text_of(found)
    assert found.cut == "more than 1 MB"
    assert len(text.lines) < diff.MOST_LINES + 100
    assert "cut off: more than 1 MB" in shown(text)
    text = text_of(found._replace(cut=""))
    assert "cut off: more than 20,000 lines" in shown(text)


@pytest.mark.parametrize("stays", ["exec sleep {}", "sleep {}; true"])
def test_git_that_does_not_answer_is_given_up_with_what_it_waits_for(tmp_path, monkeypatch, stays):
    monkeypatch.setattr(changes_page, "SECONDS", 0.2)
    slow = tmp_path / "git"
    seconds = f"300.{uuid.uuid4().int}"
    stay = stays.format(seconds)
    slow.write_text(f'#!/bin/sh\ncase "$*" in *"diff --no-color"*) {stay};; esac\nexec /usr/bin/env -i true\n')
    slow.chmod(0o755)
    found = changes_page.git_changes(str(tmp_path), {"PATH": f"{tmp_path}:/usr/bin:/bin"}, since=None)
    assert found.cut == "git took more than 0 s"
    eventually(lambda: not with_word(seconds), what="no filter of the mission is left, nor waited for")


CONFLICTS = "UU both\0AA added\0R  new\0old\0?? x\0 M a b\0M  c\0"


def test_each_kind_of_change_has_its_word():
    text = diff.text(diff.of_git("", (), CONFLICTS, "", "", ""))
    assert [line[0].text.split()[0] for line in text.lines[3:]] == [
        "conflict", "conflict", "renamed", "new", "changed", "changed",
    ]  # fmt: skip
    assert text.lines[0][0].text == " no branch"


def test_what_is_searched_for_is_marked_across_cells():
    line = [Cell("one ", "key"), Cell("Two three")]
    marked = pattern.marked(line, pattern.patterns("e.*t !x"), "mark")
    assert marked == [Cell("on", "key"), Cell("e ", "mark"), Cell("Two t", "mark"), Cell("hree")]
    assert pattern.marked(line, [], "mark") == line
    assert pattern.marked(line, pattern.patterns("("), "mark") == line


def test_the_next_line_that_matches_goes_round():
    lines, wanted = ["a", "b", "a", "c"], pattern.patterns("a")
    assert [pattern.following(lines, wanted, at, 1) for at in (-1, 0, 2)] == [0, 2, 0]
    assert [pattern.following(lines, wanted, at, -1) for at in (0, 2)] == [2, 0]
    assert pattern.following(lines, pattern.patterns("x"), 0, 1) is None
    assert pattern.following([], wanted, 0, 1) is None


def test_toml_has_its_colours_and_loses_nothing():
    text = '# why\n[env]\n"a b" = "x"\np = """\n# no comment\n[no table]\n"""\nq = 1'
    found = actions_look.toml_lines(text)
    assert ["".join(cell.text for cell in line)[1:] for line in found] == text.splitlines()
    assert [line[1].tone for line in found] == ["faint", "title", "key", "key", "", "", "", "key"]


INFO = {
    "id": "00000001", "name": "api", "status": "running", "type": "task", "provider": "raw", "command": "a\nb",
    "started_at": "2025-12-31T23:50:00.000Z", "runs": [], "cwd": "/srv", "tty": False,
}  # fmt: skip


def test_a_description_leaves_out_what_is_not_set():
    text = "\n".join("".join(cell.text for cell in line)
                     for line in describe.lines(INFO, None, describe.Rendering(1_767_225_600.0, UTC)))  # fmt: skip
    assert "agent" not in text
    assert "parent" not in text
    assert "None" not in text
    assert "2025-12-31 23:50:00" in text
    assert "pipes" in text


@pytest.mark.parametrize("widget", [TextView, CursorTextView], ids=["text", "with a cursor"])
def test_a_line_that_goes_on_beyond_the_border_says_so(widget):
    async def scenario(app, pilot):
        text = widget(id="text")
        await app.screen.mount(text)
        text.show([[Cell("begins " + "x" * 200), Cell(" and ends")], [Cell("short")], [Cell("blank" + " " * 200)]])
        await pilot.pause()
        drawn = [text.render_line(at).text.rstrip() for at in range(3)]
        assert drawn[0].startswith("begins x")
        assert drawn[0].endswith("x…")
        assert drawn[1:] == ["short", "blank"]
        for _ in range(30):
            text.press("right")
        assert text.render_line(0).text.rstrip() == ""
        assert "begins" not in picture(app)

    run_program(Still, scenario, (80, 24))
