"""Two people with a Cortex, on the command line: what leaves a home, what comes, and where the token is."""

from __future__ import annotations

import os
from pathlib import Path

import psycopg
import pytest

from tests.kit import cortex
from tests.kit.agents import Agents
from tests.kit.repositories import AUTHOR, Repository
from tests.kit.waiting import eventually

PROMPT = "Why does the limiter want redis in its tests?"
SHARED = "The limiter wants redis before its tests"


class Person:
    """Somebody with a home, an agent, and checkouts of two repositories.

    Attributes:
        said: All that commands have printed.
    """

    def __init__(self, om, folder, config=""):
        om.environment |= AUTHOR
        Path(om.home, "config.toml").write_text(config)
        self.om = om
        self.folders = {}
        for name in ("shop", "secret"):
            code = Repository(str(folder / name))
            code.git("remote", "add", "origin", f"https://example.org/team/{name}.git")
            self.folders[name] = code.folder
        self.agents = Agents(om, str(folder / "bin"), work=self.folders["shop"])
        self.said = []

    def __call__(self, *words, at="shop", **how):
        finished = self.om(*words, cwd=self.folders[at], **how)
        self.said += [finished.stdout, finished.stderr]
        return finished

    def ok(self, *words, **how):
        finished = self(*words, **how)
        assert finished.returncode == 0, finished
        return finished.stdout

    def refused(self, *words, **how):
        finished = self(*words, **how)
        assert finished.returncode == 1, finished
        return finished.stderr

    def write(self, *words, **how):
        return self.ok("remember", *words, **how).split()[1]

    def connect(self, server, token):
        where = f"http://127.0.0.1:{server.port}"
        return self("memory", "connect", where, "--token-file", "-", stdin=f"{token}\n")

    def given(self):
        """What an agent of the shop is given now."""
        return self.ok("memory", "used", self.agents.task(PROMPT)["id"])

    def parts(self, token):
        """Disconnect; until then the token is in its file, and nowhere else."""
        assert self.files_with(token) == ["cortex.token"]
        for words in (("doctor",), ("memory", "--json"), ("events", "--json")):
            self.ok(*words)
        assert token not in commands()
        assert self.ok("memory", "disconnect").startswith("Disconnected; ")
        assert self.files_with(token) == []
        assert token not in "".join(self.said)

    def files_with(self, word):
        """Files of the home that hold a word."""
        paths = [path for path in Path(self.om.home).rglob("*") if path.is_file()]
        return [path.name for path in paths if word.encode() in path.read_bytes()]


def held(server):
    """All that is in the database, and the ids of the notes there."""
    with psycopg.connect(server.conninfo) as connection:
        tables = connection.execute("select tablename from pg_tables where schemaname = 'public'").fetchall()
        rows = [connection.execute(f"select * from {name}").fetchall() for (name,) in tables]
        return repr(rows), {note for (note,) in connection.execute("select note from entry").fetchall()}


@pytest.fixture
def server(database_url):
    with cortex.running(database_url) as running:
        yield running


@pytest.mark.timeout(180)
def test_only_what_is_shared_leaves_what_comes_waits_to_be_accepted_and_the_token_is_in_its_file_alone(
    server, om, make_home, tmp_path, capfd
):
    (tmp_path / "a").mkdir()
    (tmp_path / "e").mkdir()
    ada = Person(om, tmp_path / "a", '[cortex]\nevery = "1h"\n')
    eve = Person(make_home(), tmp_path / "e", '[cortex]\nevery = "1h"\nincoming = "propose"\n')
    writing, reading = server.token("ada"), server.token("eve", "read")
    shared = ada.write(SHARED, "--tag", "planted-tag")
    ada.write("planted-secret text", "--key", "planted-key", at="secret")
    ada.write("planted-global text", "--scope", "global")
    ada.agents.task("planted-prompt\n\nLessons:\n- planted-lesson")
    eventually(lambda: "planted-lesson" in ada.ok("notes", "--proposed"))
    tree = ada.agents.session("--allowed-tools", "Bash")
    said = ada.agents.say(tree, "!bash overmind remember 'planted-tree text' --scope mission")
    assert "Remembered" in said
    everybody = ada.write("for all of the colony", "--scope", "colony")

    assert "token_refused" in ada.connect(server, "wrong").stderr
    assert ada.connect(server, writing).stdout == (
        f"Connected to 127.0.0.1:{server.port} (colony shop, write). Shares: colony\n"
    )
    assert ada.ok("memory", "sync") in {f"Synced: {count} sent, 0 received, 0 conflicts\n" for count in (0, 1)}
    assert held(server)[1] == {everybody}
    assert ada.ok("memory", "share") == "Shares example.org/team/shop: 1 note\n"
    ada.ok("memory", "sync")
    words, notes = held(server)
    assert notes == {everybody, shared}
    assert "planted-tag" in words
    for word in ("secret", "planted-key", "global text", "planted-prompt", "lesson", "tree", writing, reading):
        assert word not in words, word
    assert ada.ok("memory", "unshare") == "No longer shares example.org/team/shop: 1 note\n"
    ada.write("planted after it was unshared")
    ada.ok("memory", "sync")
    assert held(server)[1] == notes

    eve.write("eve's own", "--scope", "colony")
    eve.connect(server, reading)
    eve.ok("memory", "share")
    assert eve.ok("memory", "sync").startswith("Synced: 0 sent, ")
    assert held(server)[1] == notes
    assert eve.om.json("note", shared, "--json", cwd=eve.folders["shop"])["state"] == "proposed"
    assert shared not in eve.given()
    eve.ok("note", "accept", shared)
    assert shared in eve.given()

    server.revoke("ada")
    assert "token_refused" in ada.refused("memory", "sync")
    assert "token_refused" in ada.refused("recall", "limiter", "--remote")
    assert "was revoked" in ada.ok("memory")
    assert [one["change"] for one in ada.om.events("cortex")][-1] == "refused"
    ada.parts(writing)
    eve.parts(reading)
    printed = "".join(capfd.readouterr())
    assert writing not in printed
    assert reading not in printed


def commands():
    """The command lines of all processes."""
    found = ""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            found += Path("/proc", pid, "cmdline").read_text(errors="replace")
        except OSError:  # it has ended
            continue
    return found
