"""Files of notes: what an export writes, keeps and removes, and what an import sends and refuses."""

from __future__ import annotations

import json
import os

import pytest

from overmind_core.domain.memory.notes import note_id
from tests.core.cli.memory.test_notes import NOTE

OTHER = NOTE | {"id": note_id(7), "key": "db/choice", "text": "We chose Postgres.", "version_id": "7" * 32}
FORGOTTEN = NOTE | {"id": note_id(8), "state": "forgotten", "text": "Old."}
FOREIGN = NOTE | {"id": note_id(9), "text": "Of somebody else."}


def version(note, **changed):
    """A version as the history of a note has it."""
    return {name: note[name] for name in ("text", "kind", "key", "tags", "files", "pinned")} | changed


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """A repository, in a folder of which everything is asked."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop" / ".git").mkdir(parents=True)
    (tmp_path / "shop" / "api").mkdir()
    monkeypatch.chdir(tmp_path / "shop" / "api")
    return tmp_path / "shop"


@pytest.fixture
def asked(overmind):
    """Run a command line against a daemon that knows these notes, with their histories."""

    def run(notes, *words, histories=None, taken=None, **how):
        known = {one["id"]: one for one in (*notes, FORGOTTEN)}

        def note(args):
            if args["note"] not in known:
                return [{"error": "not_found", "message": "No note."}]
            found = known[args["note"]]
            history = (histories or {}).get(found["id"], [version(found)])
            return [{"ok": found | {"history": history}}]

        table = {"notes": lambda _: [{"ok": {"notes": notes, "proposed": 0}}], "note": note}
        if taken is not None:
            table["memory_import"] = lambda args: [{"ok": taken(args)}]
        return overmind(table, *words, **how)

    return run


def in_folder(folder):
    """Name → bytes of all files."""
    return {name: (folder / name).read_bytes() for name in sorted(os.listdir(folder))}


def test_an_export_is_repeated_without_changing_a_byte(asked, shop):
    notes = shop / ".overmind" / "notes"
    ran = asked([NOTE, OTHER], "memory", "export")
    assert ran.out == "Exported 2 notes to .overmind/notes: 2 written, 0 removed, 0 unchanged\n"
    assert ran.requests[0][1]["export"] is True
    written = in_folder(notes)
    assert list(written) == [f"db-choice-{OTHER['id']}.md", f"the-tests-need-redis-start-it-with-make-{NOTE['id']}.md"]
    assert json.loads(asked([NOTE, OTHER], "memory", "export", "--json").out) == {
        "written": 0, "removed": 0, "unchanged": 2}  # fmt: skip
    assert in_folder(notes) == written


def test_files_of_forgotten_notes_go_and_foreign_files_stay(asked, shop):
    notes = shop / ".overmind" / "notes"
    asked([NOTE, FOREIGN, FORGOTTEN], "memory", "export")
    (notes / "README.md").write_text("Notes of the team.\n")
    (notes / "link.md").symlink_to("/etc/passwd")
    (notes / "data.json").write_text("{}")
    moved = NOTE | {"key": "redis", "version_id": "4" * 32}
    ran = asked([moved], "memory", "export", histories={NOTE["id"]: [version(moved), version(NOTE)]})
    assert ran.out == "Exported 1 note to .overmind/notes: 1 written, 2 removed, 0 unchanged\n"
    kept = {"README.md", "data.json", "link.md", f"of-somebody-else-{FOREIGN['id']}.md", f"redis-{NOTE['id']}.md"}
    assert set(os.listdir(notes)) == kept
    assert (notes / "link.md").is_symlink()


def test_an_export_overwrites_no_change_that_is_not_imported(asked, shop):
    notes = shop / ".overmind" / "notes"
    asked([NOTE, OTHER], "memory", "export")
    edited = notes / f"db-choice-{OTHER['id']}.md"
    edited.write_text(edited.read_text() + "\nAnd it is fast.\n")
    conflict = notes / f"the-tests-need-redis-start-it-with-make-{NOTE['id']}.md"
    conflict.write_text(f"<<<<<<< ours\n{conflict.read_text()}=======\n>>>>>>> theirs\n")
    before = in_folder(notes)
    newer = [NOTE | {"text": "The tests need redis now.", "version_id": "5" * 32}, OTHER | {"version_id": "6" * 32}]
    ran = asked(newer, "memory", "export", histories={OTHER["id"]: [version(OTHER)]})
    assert in_folder(notes) == before | {
        f"the-tests-need-redis-start-it-with-make-{NOTE['id']}.md": before[conflict.name],
    }
    assert [line.partition(" has ")[0] for line in ran.err.splitlines()] == [
        f"kept: .overmind/notes/{conflict.name}", f"kept: .overmind/notes/{edited.name}"]  # fmt: skip


def test_the_folder_is_no_link_that_a_repository_has(asked, shop, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (shop / ".overmind").symlink_to(tmp_path / "elsewhere")
    for command in ("export", "import"):
        ran = asked([NOTE], "memory", command)
        assert ran.status == 1
        assert "is a link. Name the folder" in ran.err
    assert os.listdir(tmp_path / "elsewhere") == []
    assert asked([NOTE], "memory", "export", "../.overmind").status == 0  # somebody means it
    assert len(os.listdir(tmp_path / "elsewhere")) == 1


def test_an_import_sends_what_may_be_notes_and_refuses_the_rest_by_name(asked, shop):
    notes = shop / ".overmind" / "notes"
    asked([NOTE, OTHER], "memory", "export")
    (notes / "a-link.md").symlink_to("/etc/passwd")
    os.mkfifo(notes / "b-pipe.md")
    (notes / "c-large.md").write_bytes(b"x" * 65_537)
    (notes / "d-bytes.md").write_bytes(b"\xff\xfe")
    (notes / "plain.txt").write_text("no note")
    (notes / "folder.md").mkdir()
    counted = {"new": 1, "changed": 1, "known": 0, "skipped": [{"file": "x.md", "id": "N-1", "why": "was forgotten"}],
               "refused": [{"file": "y.md", "line": 5, "why": "a merge conflict"}]}  # fmt: skip
    ran = asked([NOTE], "memory", "import", taken=lambda _: counted, environ={"DB_PASSWORD": "We chose Postgres."})
    assert ran.status == 1
    assert ran.out == "Imported: 1 new, 1 changed, 0 known, 1 forgotten here\n"
    assert ran.err.splitlines() == [
        "redacted: 1 secret",
        "skipped: x.md: N-1 was forgotten",
        "Error: invalid: .overmind/notes/a-link.md: a link.",
        "Error: invalid: .overmind/notes/b-pipe.md: not a regular file.",
        "Error: invalid: .overmind/notes/c-large.md: larger than 64 KiB.",
        "Error: invalid: .overmind/notes/d-bytes.md: not a text in UTF-8.",
        "Error: invalid: y.md:5: a merge conflict.",
    ]
    (sent,) = (args for name, args in ran.requests if name == "memory_import")
    assert [os.path.basename(one["file"]).rpartition("-N-")[0] for one in sent["files"]] == [
        "db-choice", "the-tests-need-redis-start-it-with-make"]  # fmt: skip
    assert "Postgres" not in str(sent)
    assert (sent["propose"], sent["dry_run"]) == (False, False)


def test_many_files_are_taken_in_some_at_a_time(asked, shop):
    folder = shop / "many"
    folder.mkdir()
    for number in range(230):
        (folder / f"{number:03}.md").write_text(f"+++\n+++\n\nnote {number}\n")
    taken = {"new": 0, "changed": 0, "known": 0, "skipped": [], "refused": []}
    ran = asked([], "memory", "import", "../many", "--dry-run",
                taken=lambda args: taken | {"new": len(args["files"])})  # fmt: skip
    assert ran.out == "Would import: 230 new, 0 changed, 0 known\n"
    sizes = [len(args["files"]) for name, args in ran.requests if name == "memory_import"]
    assert sizes == [100, 100, 30]
    assert asked([], "memory", "import", "nosuch").err == "Error: not_found: There is no folder nosuch.\n"
