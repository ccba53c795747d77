"""Notes, through the command line: written, found, changed and forgotten, by people and by missions."""

from __future__ import annotations

import os

import pytest

from tests.kit.repositories import AUTHOR, Repository

pytestmark = pytest.mark.shared_home

TOKEN = f"ghp_{'a1B2' * 9}"


class Shop:
    """The command line, as somebody types it in a repository of a team."""

    def __init__(self, om, code):
        self.om = om
        self.code = code
        self.folder = code.folder

    def __call__(self, *words, **how):
        return self.om(*words, **{"cwd": self.folder} | how)

    def ok(self, *words, **how):
        return self.om.ok(*words, **{"cwd": self.folder} | how)

    def json(self, *words, **how):
        return self.om.json(*words, "--json", **{"cwd": self.folder} | how)

    def refused(self, *words, **how):
        return self.om.refused(*words, **{"cwd": self.folder} | how)

    def write(self, *words, **how):
        """Write a note; its id."""
        return self.ok("remember", *words, **how).split()[1].rstrip(":")

    def found(self, *words, **how):
        """The ids that a command lists."""
        return [one["id"] for one in self.json(*words, **how)]


@pytest.fixture
def shop(om, tmp_path):
    """Such a repository; its remote holds a token, as people's do."""
    om.environment |= AUTHOR
    found = Repository(str(tmp_path / "shop"))
    found.commit("first", {"api/limits.py": "LIMIT = 1\n"})
    found.git("remote", "add", "origin", f"https://{TOKEN}@example.org/team-{tmp_path.name}/Shop.git")
    return Shop(om, found)


def test_what_is_known_is_written_once_and_a_key_makes_versions(shop):
    note = shop.write("Café:  the tests\nneed redis", "--tag", "a,b", "--file", "api/*.py", "--kind", "gotcha")
    assert shop.ok("remember", "Cafe\u0301: the tests need redis") == f"Already known: {note}\n"
    (row,) = shop.json("notes")
    assert (row["tags"], row["files"], row["kind"], row["scope"]) == (["a,b"], ["api/*.py"], "gotcha", "repo")
    assert row["author"]["person"]
    assert shop.ok("remember", "we chose Postgres", "--key", "db").endswith("(fact, repo), version 1\n")
    first = shop.json("note", "db")
    assert shop.ok("remember", "we chose SQLite", "--key", "db").endswith("(fact, repo), version 2\n")
    second = shop.json("note", "db", "--history")
    assert (second["id"], second["created_at"], second["text"]) == (first["id"], first["created_at"], "we chose SQLite")
    assert [(one["number"], one["text"]) for one in second["history"]] == [(2, "we chose SQLite"),
                                                                           (1, "we chose Postgres")]  # fmt: skip
    assert (
        shop.ok("note", "edit", "db", "--text", "-", stdin="we chose DuckDB\n") == f"Edited {first['id']} (version 3)\n"
    )
    assert shop.ok("note", "edit", "db", "--text", "we chose DuckDB") == f"unchanged: {first['id']}\n"
    assert shop.ok("remember", "other words", "--replaces", first["id"]).endswith(", version 4\n")
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
