"""Notes, through the command line: written, found, changed and forgotten, by people and by missions."""

from __future__ import annotations

import os
import re
import select
import signal
import sqlite3
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.kit.noted_shop import TOKEN, Shop
from tests.kit.raw_socket import RawSocket
from tests.kit.repositories import AUTHOR, Repository
from tests.kit.waiting import eventually

pytestmark = pytest.mark.shared_home

IN_LINE = 64
"""Requests about notes that wait at once."""
PATIENCE = 20
"""Seconds."""
PAGE = 4096
"""Bytes of a page of memory.db."""


@pytest.fixture
def shop(om, tmp_path):
    """A repository of a team."""
    return Shop.make(om, tmp_path)


def test_what_is_known_is_written_once_and_a_key_makes_versions(shop):
    note = shop.write("Café:  the tests\nneed redis", "--tag", "a,b", "--file", "api/*.py", "--kind", "gotcha")
    assert shop.ok("remember", "Cafe\u0301: the tests need redis") == f"Already known: {note}\n"
    (row,) = shop.json("notes")
    assert (row["tags"], row["files"], row["kind"], row["scope"]) == (["a,b"], ["api/*.py"], "gotcha", "repo")
    assert row["author"]["person"]
    chosen = shop.ok("remember", "we chose Postgres", "--key", "db", "--kind", "decision")
    assert chosen.endswith("(decision, repo), version 1\n")
    first = shop.json("note", "db")
    assert shop.ok("remember", "we chose SQLite", "--key", "db").endswith("(decision, repo), version 2\n")
    second = shop.json("note", "db", "--history")
    assert (second["id"], second["created_at"], second["text"]) == (first["id"], first["created_at"], "we chose SQLite")
    assert [(one["number"], one["text"]) for one in second["history"]] == [(2, "we chose SQLite"),
                                                                           (1, "we chose Postgres")]  # fmt: skip
    assert (
        shop.ok("note", "edit", "db", "--text", "-", stdin="we chose DuckDB\n") == f"Edited {first['id']} (version 3)\n"
    )
    assert shop.ok("note", "edit", "db", "--text", "we chose DuckDB") == f"unchanged: {first['id']}\n"
    assert shop.ok("remember", "other words", "--replaces", first["id"]).endswith("(decision, repo), version 4\n")
    assert shop.ok("note", "pin", "db", note) == f"Pinned {first['id']}\nPinned {note}\n"
    assert [one["pinned"] for one in shop.json("notes")] == [True, True]
    assert shop.ok("forget", "db") == f"Forgot {first['id']}\n"
    assert shop.found("notes") == [note]
    shop.refused("forget", "db", code="not_found")
    assert shop.ok("note", "restore", first["id"]) == f"Restored {first['id']}\n"
    assert shop.json("note", "db")["state"] == "live"
    assert shop.ok("helped", "db", "-m", "at once") == f"{first['id']} helped 1, hurt 0\n"
    assert shop.ok("hurt", "db") == f"{first['id']} helped 0, hurt 1\n"
    shop.refused("remember", " \n ", code="invalid")
    shop.refused("remember", "x" * 4001, code="too_large")
    shop.refused("remember", "x", "--key", "edit", code="invalid")


def test_notes_are_found_by_words_spelling_identifiers_and_literally(shop):
    texts = {
        "redis": "The rate limiter keeps its buckets in redis",
        "user": "getUserName trims its answer",
        "percent": "coverage must stay at 100% here",
        "star": "it's a_b * c",
        "far": "nothing of all that",
    }
    ids = {name: shop.write(text) for name, text in texts.items()}
    for literal, name in (
        ("100%", "percent"),
        ("a_b", "star"),
        ("it's", "star"),
        ("* c", "star"),
        ("UserName", "user"),
    ):
        assert shop.found("search", "--literal", literal) == [ids[name]]
    assert shop.found("search", "--literal", "username") == []
    for words in ("getUserName", "get_user_name", "user name"):
        assert shop.found("recall", words)[0] == ids["user"], words
    (best, *_) = shop.json("recall", "why does the limiter need redsi?")
    assert (best["id"], best["corrected"]) == (ids["redis"], {"redsi": "redis"})
    assert "spelling" in best["why"]
    assert "  spelling (redsi: redis)\n  The rate limiter" in shop.ok("recall", "redsi")
    shop.ok("helped", ids["redis"])
    twin = shop.write("the rate limiter keeps its buckets in redis!")
    assert shop.found("recall", "rate limiter buckets") == [ids["redis"], twin]
    assert shop.json("recall", "redis", "-q", "coverage", "--limit", "1")[0]["id"]
    for hostile in ('"', "NEAR(a b)", "a AND", "*", "text:x", "(", "\x01\x02", "'; DROP TABLE notes", "a" * 9000):
        shop.ok("recall", hostile)
    shop.refused("recall", " ", code="invalid")
    shop.refused("recall", "x" * 10_001, code="invalid")
    assert shop.ok("search", "nosuchwordatall") == ""
    shop.refused("note", "N-0000", code="not_found")


def test_a_note_whose_files_are_gone_is_stale(shop):
    here = shop.write("limits are per minute", "--file", "api/*.py")
    gone = shop.write("limits are per hour", "--file", "old/*.py")
    assert shop.found("notes", "--stale") == [gone]
    assert shop.found("recall", "limits are per") == [here, gone]
    assert "(stale)" in shop.ok("search", "hour")
    assert "State:    live, stale\n" in shop.ok("note", gone)


def test_one_repository_is_one_wherever_it_lies_and_another_is_never_seen(shop, tmp_path):
    note = shop.write("the tests need redis", "--key", "redis")
    url = shop.code.git("remote", "get-url", "origin").rpartition("@")[2]
    shop.code.git("worktree", "add", "-q", str(tmp_path / "worktree"))
    for name, remote in (("ssh", f"git@{url.replace('/', ':', 1)}"), ("https", f"https://{url.removesuffix('.git')}/")):
        clone = Repository(str(tmp_path / name))
        clone.git("remote", "add", "origin", remote)
    same = [tmp_path / "worktree", tmp_path / "ssh", tmp_path / "https", tmp_path / "shop" / "api"]
    for folder in same:
        assert shop.found("notes", cwd=str(folder)) == [note], folder
    fork = Repository(str(tmp_path / "fork"))
    fork.git("remote", "add", "origin", f"https://{url.replace('team', 'me')}")
    path = Repository(str(tmp_path / "path"))
    path.git("remote", "add", "origin", shop.folder)
    (tmp_path / "plain").mkdir()
    for name in ("fork", "path", "plain"):
        other = str(tmp_path / name)
        assert shop.ok("notes", cwd=other) == ""
        assert shop.ok("recall", "tests redis", cwd=other) == ""
        assert shop.ok("completion", "--list", "notes", cwd=other) == ""
        shop.refused("note", "redis", code="not_found", cwd=other)
    assert shop.ok("completion", "--list", "notes").split() == ["redis", note]


def test_notes_move_along_when_a_repository_gets_a_remote(om, tmp_path):
    om.environment |= AUTHOR
    code = Repository(str(tmp_path / "code"))
    code.commit("first", {"a": f"{tmp_path}\n"})
    shop = Shop(om, code)
    note = shop.write("the tests need redis")
    before = shop.json("note", note)["repository"]
    os.mkdir(code.path("below"))
    code.git("remote", "add", "origin", f"https://example.org/team/{tmp_path.name}.git")
    below = {"cwd": code.path("below")}  # what a folder belongs to is asked once a minute
    assert shop.found("notes", **below) == [note]
    after = shop.json("note", note, **below)["repository"]
    assert (before[:5], after) == ("root:", f"example.org/team/{tmp_path.name}")
    assert [one["note"] for one in om.events("note") if one["change"] == "moved"] == [note]


def test_notes_of_a_folder_move_along_when_it_becomes_a_repository(om, tmp_path):
    om.environment |= AUTHOR
    folder = tmp_path / "new"
    for name in ("begun", "committed", "cloned"):
        (folder / name).mkdir(parents=True)

    def found(name):  # each in a folder of its own: what a folder belongs to is asked once a minute
        notes = om.api("notes", cwd=str(folder / name))["notes"]
        assert len({one["repository"] for one in notes}) == 1
        return notes[0]["repository"][:5], {one["id"] for one in notes}

    def write(text, name):
        return om.api("remember", text=text, cwd=str(folder / name))["id"]

    plain = write("the tests need redis", ".")
    code = Repository(str(folder))
    code.git("init", "-q", "-b", "main")
    begun = write("no commit yet", "begun")
    code.commit("first", {"a": f"{tmp_path}\n"})
    assert found("committed") == ("root:", {plain, begun})
    code.git("remote", "add", "origin", f"https://example.org/team/{tmp_path.name}.git")
    assert found("cloned") == ("examp", {plain, begun})


def test_what_looks_like_a_secret_is_in_no_byte_of_the_home(shop):
    token = TOKEN
    value = "correct-horse-battery"
    note = shop.write(f"use {token}", "--tag", token, "--file", f"api/{token}")
    environ = {"DEPLOY_PASSWORD": value}
    finished = shop("remember", f"deploy with {value}", env=environ)
    assert finished.stderr == "redacted: 1 secret\n"
    shop.ok("recall", token, "-q", value, env=environ)
    shop.ok("search", "--literal", token)
    shop.ok("note", "edit", note, "--text", f"never use {token}")
    shop.ok("helped", note, "-m", token)
    shop.code.write({".overmind/notes/x.md": f'+++\nkey = "imported"\n+++\n\nimported {token}\n'})
    assert "1 new" in shop.ok("memory", "import")
    caller = shop.om.finished(f"overmind remember 'from inside {value}'", "--env", f"API_SECRET={value}",
                         "--cwd", shop.folder)  # fmt: skip
    assert "redacted: 1 secret" in shop.om.logs(caller["id"])
    texts = [one["text"] for one in shop.json("notes")]
    assert len(texts) == 4
    assert all("[redacted: " in text for text in texts)
    for folder, _, names in os.walk(shop.om.home):
        for name in names:
            path = os.path.join(folder, name)
            if os.path.isfile(path) and name != "state.db" and not name.startswith("state.db-"):
                with open(path, "rb") as file:
                    held = file.read()
                assert token.encode() not in held, path
                if not path.startswith(os.path.join(shop.om.home, "logs")):
                    assert value.encode() not in held, path


def test_a_mission_proposes_where_a_person_decides(shop):
    persons = shop.write("we chose Postgres", "--key", "db")
    mission, said = shop.inside(
        "overmind remember 'for all' --scope global; overmind remember 'we chose SQLite' --key db; "
        f"overmind remember 'other' --replaces {persons}; overmind remember mine --key own; "
        "overmind note edit own --text 'still mine'; overmind helped own db; overmind helped db; overmind hurt db; "
        'for each in $(seq 21); do overmind remember "number $each"; done',
    )
    lines = said.splitlines()
    assert lines[0].endswith("(fact, global)")
    assert [line.split()[0] for line in lines[:4]] == ["Proposed", "Proposed", "Proposed", "Remembered"]
    assert lines[4].startswith("Edited ")
    written = [line.split()[0] for line in lines if line.startswith(("Remembered", "Proposed"))]
    assert written[-1] == "Proposed"  # its 21st and those after it
    assert written.count("Remembered") == 17  # with the three proposals above these are twenty
    stands = shop.json("note", "db")
    assert (stands["text"], stands["state"], stands["helped"], stands["hurt"]) == ("we chose Postgres", "live", 0, 1)
    proposals = {one["text"]: one for one in shop.json("notes", "--proposed")}
    assert proposals["we chose SQLite"]["author"]["mission"] == mission
    assert proposals["we chose SQLite"]["proposed_for"] == persons
    refusals = ["note accept", "note pin", "note promote --to global", "note restore", "forget", "note edit --text x"]
    shop.code.write({".overmind/notes/x.md": "+++\n+++\n\nx\n"})
    words = " ; ".join(f"overmind {one} {persons}" for one in refusals)
    _, said = shop.inside(f"{words}; overmind remember x --pin; overmind memory export; overmind memory import; "
                           "overmind memory off; echo x | overmind memory connect http://127.0.0.1:1 --token-file -; "
                           "overmind memory share; overmind memory sync")  # fmt: skip
    assert [line.split(": ")[1] for line in said.splitlines()] == ["forbidden"] * (len(refusals) + 7)
    assert shop.json("note", persons)["text"] == "we chose Postgres"
    accepted = shop.ok("note", "accept", proposals["we chose SQLite"]["id"])
    assert accepted == f"Accepted {persons}\n"
    now = shop.json("note", "db", "--history")
    assert (now["text"], now["version"], len(now["history"])) == ("we chose SQLite", 2, 2)
    assert shop.ok("forget", proposals["for all"]["id"]).startswith("Forgot ")


def test_missions_that_write_one_key_at_once_are_both_in_its_history(shop):
    held = "until [ -e go ]; do sleep 0.02; done; overmind remember"
    missions = [shop.om.mission(f"{held} 'as {name} says' --key shared", "--cwd", shop.folder) for name in "ab"]
    shop.code.write({"go": ""})
    for mission in missions:
        shop.om.wait_status(mission, "stopped")
    texts = [one["text"] for one in shop.json("note", "shared", "--history")["history"]]
    assert sorted(texts) == ["as a says", "as b says"]
    assert shop.ok("helped", "shared") == shop.ok("helped", "shared")  # one voter, one vote
    two = shop.json("hurt", "shared")
    assert (two[0]["helped"], two[0]["hurt"]) == (0, 1)
    shop.inside("overmind hurt shared")
    assert shop.json("note", "shared")["rests"] is True
    assert len(shop.found("search", "says")) == 1
    assert shop.ok("note", "edit", "shared", "--text", "as both say").startswith("Edited")
    assert shop.json("note", "shared")["rests"] is False


def test_notes_of_a_tree_go_with_its_root_and_a_promoted_one_stays(shop):
    words = ("remember 'of the tree' --scope mission --key tree", "remember 'stays' --scope mission")
    held = "; ".join([*(f"overmind {one}" for one in words), "echo written; exec sleep 600"])
    root = shop.om.mission(held, "--cwd", shop.folder)
    eventually(lambda: "written" in shop.om.logs(root), what="both are written")
    tree, stays = (shop.json("note", one)["id"] for one in ("tree", shop.found("search", "stays")[0]))
    assert shop.ok("note", "promote", stays, "--to", "repo") == f"Promoted {stays} to repo\n"
    _, said = shop.inside("overmind recall 'of the tree'")
    assert tree not in said  # another tree's
    shop.om.ok("kill", root)
    shop.om.ok("rm", root)
    eventually(lambda: shop("note", tree).returncode, what="it is gone")
    assert shop.found("notes") == [stays]


def test_files_carry_notes_there_and_back(shop, tmp_path):
    folder = shop.code.path(".overmind", "notes")
    tests = shop.write("The tests need redis.", "--kind", "gotcha", "--tag", "a,b", "--file", "api/**")
    database = shop.write("We chose Postgres.", "--key", "db", "--pin")
    assert shop.ok("memory", "export") == "Exported 2 notes to .overmind/notes: 2 written, 0 removed, 0 unchanged\n"
    bytes_before = contents(folder)
    assert shop.ok("memory", "import") == "Imported: 0 new, 0 changed, 2 known\n"
    assert shop.ok("memory", "export").endswith("0 written, 0 removed, 2 unchanged\n")
    assert contents(folder) == bytes_before
    name = f".overmind/notes/db-{database}.md"
    shop.code.write({name: bytes_before[f"db-{database}.md"].decode().replace("Postgres", "SQLite\n=======\nindeed"),
                     ".overmind/notes/new.md": '+++\nkind = "decision"\n+++\n\nFrom a person.\n',
                     ".overmind/notes/README.md": "Notes of ours.\n"})  # fmt: skip
    tried = shop("memory", "import", "--dry-run")
    assert tried.stdout == "Would import: 1 new, 1 changed, 1 known\n"
    assert tried.returncode == 1
    assert shop.json("note", "db")["version"] == 1
    for count in ("1 new, 1 changed, 1 known", "0 new, 0 changed, 3 known"):
        imported = shop("memory", "import")
        assert imported.stdout == f"Imported: {count}\n"
        assert imported.stderr == "Error: invalid: .overmind/notes/README.md:1: a note begins with a line +++.\n"
    edited = shop.json("note", "db", "--history")
    assert (edited["text"], edited["version"], edited["pinned"]) == ("We chose SQLite\n=======\nindeed.", 2, True)
    assert edited["history"][0]["by"]["person"]
    shop.ok("forget", tests)
    shop.code.write({name: f"<<<<<<< ours\n{bytes_before[f'db-{database}.md'].decode()}=======\n>>>>>>> theirs\n"})
    refused = shop("memory", "import")
    assert refused.stdout == "Imported: 0 new, 0 changed, 1 known, 1 forgotten here\n"
    (skipped,) = (line for line in refused.stderr.splitlines() if line.startswith("skipped: "))
    assert skipped.endswith(f"{tests} was forgotten here")
    assert f"Error: invalid: {name}:1: a merge conflict." in refused.stderr.splitlines()
    exported = shop("memory", "export")
    assert ": 1 written, 1 removed, 0 unchanged\n" in exported.stdout  # the person's new one has no id yet
    assert f"kept: {name} has changes" in exported.stderr
    assert shop.found("notes", "--all").count(tests) == 1
    other = Repository(str(tmp_path / "other"))
    assert shop.om("memory", "import", folder, "--propose", cwd=other.folder).stdout.startswith("Imported: ")
    assert shop.om.json("notes", "--json", cwd=other.folder)
    assert all(one["state"] == "proposed" for one in shop.om.json("notes", "--json", cwd=other.folder))


def contents(folder):
    """Name → bytes."""
    found = {}
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), "rb") as file:
            found[name] = file.read()
    return found


def test_the_one_behind_64_in_line_is_told_to_come_again_and_all_the_others_are_written(shop):
    shop.write("the first of all")
    daemon = shop.om.supervisor_pid()
    with ExitStack() as everybody:
        clients = [everybody.enter_context(RawSocket.connect(shop.om.home)) for _ in range(IN_LINE + 2)]
        held = everybody.enter_context(closing(sqlite3.connect(shop.om.path("memory.db"), isolation_level=None)))
        held.execute("BEGIN IMMEDIATE")
        os.kill(daemon, signal.SIGSTOP)  # it finds all of them at once: it waits 2 s for who holds the file
        try:
            for number, client in enumerate(clients):
                client.send("remember", text=f"of client {number}", cwd=shop.folder)
        finally:
            os.kill(daemon, signal.SIGCONT)
        select.select(clients, (), (), PATIENCE)
        held.execute("ROLLBACK")
        answers = [client.read_line() for client in clients]
    refused = [answer for answer in answers if "error" in answer]
    assert 1 <= len(refused) <= 2, "the first is in line, too, until the thread that writes takes it"
    assert {answer["error"] for answer in refused} == {"busy"}
    assert all(f"{IN_LINE} requests about notes are in line" in answer["message"] for answer in refused)
    assert {answer["ok"]["state"] for answer in answers if answer not in refused} == {"live"}
    assert len(shop.found("notes")) == len(answers) - len(refused) + 1


@pytest.mark.own_home
def test_a_damaged_file_stops_nothing_but_memory_and_what_can_be_read_of_it_is_taken_over(shop):
    om, path, count = shop.om, shop.om.path("memory.db"), 60
    om.ok("start")
    for number in range(count):
        om.api("remember", text=f"marker{number} {'redis ' * 60}", cwd=shop.folder)
    assert re.fullmatch(rf"Reindexed {count} notes, 0 episodes in \d*\.\ds\n", shop.ok("memory", "reindex"))
    om.ok("shutdown", "-y")
    whole = Path(path).read_bytes()
    pages = [whole[at : at + PAGE] for at in range(0, len(whole), PAGE)]
    damaged = [b"\xff" * PAGE if number and b"marker30 " in page else page for number, page in enumerate(pages)]
    assert damaged != pages
    Path(path).write_bytes(b"".join(damaged))

    om.ok("start")
    said = shop.refused("recall", "marker30", code="memory_off")
    assert f"{path} is damaged" in said
    assert "overmind memory reindex" in said
    assert om.finished("true")["exit_code"] == 0
    assert len(om.ps("-a")) == 1
    recovered, reindexed = shop.ok("memory", "reindex").splitlines()
    ((taken, of, aside),) = re.findall(r"^Recovered (\d+) of (\d+) notes; the old file is (.*)$", recovered)
    assert 0 < int(taken) < int(of) <= count
    assert Path(aside).read_bytes() == b"".join(damaged)
    assert reindexed.startswith(f"Reindexed {taken} notes, ")
    assert len(shop.found("notes")) == int(taken)
    assert shop.found("recall", "marker0") != []
    assert om.events("memory")[-1]["change"] == "recovered"
