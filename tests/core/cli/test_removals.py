"""What nothing brings back is removed only for a person who was asked, or for a script that says -y."""

from __future__ import annotations

import io
from argparse import Namespace
from types import SimpleNamespace

import pytest

from overmind_core.cli.hives import commands as hives
from overmind_core.cli.state import empty_lines, report_lines, state_facts
from overmind_core.cli.swarm import vault
from overmind_core.daemon.state import State
from overmind_core.daemon.state_recovery import Report, TableReport
from overmind_core.errors import OvermindError
from overmind_core.system.paths import Home

REMOVALS = {
    "a note": (("forget", "N-7f3k", "--purge"), "forget"),
    "all logins": (("web", "revoke", "--all"), "web_revoke"),
}
OF_THE_SWARM = {
    "a secret": (vault.remove, {"name": "TOKEN"}),
    "a hive": (hives._remove_from_swarm, {"name": "eu1", "dead": False}),
    "a dead hive": (hives._remove_from_swarm, {"name": "eu1", "dead": True}),
}


@pytest.mark.parametrize(("words", "request_name"), REMOVALS.values(), ids=REMOVALS)
@pytest.mark.parametrize("stdin", [b"", b"n\n", b"y\n"], ids=["nothing", "n", "y"])
def test_without_a_terminal_it_takes_a_yes_on_the_command_line(overmind, words, request_name, stdin):
    ran = overmind({"note": {"id": "N-7f3k9c2m4q"}}, *words, stdin=stdin)
    assert ran.status == 1
    assert "Nobody can be asked here: repeat it with -y." in ran.err
    assert request_name not in [name for name, _ in ran.requests]


@pytest.mark.parametrize(("remove", "arguments"), OF_THE_SWARM.values(), ids=OF_THE_SWARM)
def test_the_same_of_what_a_swarm_has(monkeypatch, remove, arguments):
    asked: list[str] = []

    def call(name):
        asked.append(name)
        return {"hives": [{"name": "eu1", "seen_ago": 9.0}]}

    client = SimpleNamespace(call=call)
    monkeypatch.setattr("overmind_core.cli.swarm.vault.swarm_client", lambda _context: client)
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    context = SimpleNamespace(client=lambda **_start: client, on_hive="")
    with pytest.raises(OvermindError, match="repeat it with -y"):
        remove(Namespace(**arguments, yes=False, json=False), context)
    assert set(asked) <= {"swarm_status"}


def test_what_a_prune_removes_is_what_it_has_asked_about(overmind):
    """Who has ended since the question stays; an older hive can't tell since when."""
    found = {"missions": [{"id": "a1b2c3d4", "name": "api"}], "bytes": 9}
    for moment in ({"as_of": 1_800_000_000.5}, {}):
        ran = overmind({"prune": [{"ok": found | moment}]}, "prune", "--older", "1h", "-y")
        older = ran.requests[0][1]["older"]
        assert ran.requests == [("prune", {"older": older, "dry_run": True}), ("prune", {"older": older, **moment})]
        assert ran.out == "Removed 1 mission (9 B)\n"


def test_a_forced_removal_kills_what_rm_would_remove_and_nothing_where_that_is_not_clear(overmind):
    def kill(args):
        if args["id"] == "twice":
            return [{"error": "ambiguous", "message": "'twice' names several missions that have ended."}]
        return [{"ok": {"killed": [{"id": "a1b2c3d4", "name": args["id"]}], "hidden": []}}]

    def rm(args):
        if args["id"] == "twice":
            return [{"error": "ambiguous", "message": "'twice' names several missions that have ended."}]
        return [{"ok": {"id": args["id"], "name": "api"}}]

    ran = overmind({"kill": kill, "rm": rm}, "rm", "-f", "api", "twice")
    assert ran.requests == [
        ("kill", {"id": "api", "alone": True}), ("kill", {"id": "twice", "alone": True}),
        ("rm", {"id": "a1b2c3d4"}), ("rm", {"id": "twice"}),
    ]  # fmt: skip
    assert (ran.status, ran.out) == (1, "Removed mission a1b2c3d4\n")
    assert "ambiguous: 'twice' names several" in ran.err


@pytest.mark.parametrize("stdin", [b"", b"n\n", b"y\n"], ids=["nothing", "n", "y"])
@pytest.mark.parametrize("words", [(), ("--empty",)], ids=["recover", "empty"])
def test_a_state_is_not_replaced_without_a_terminal_and_without_a_yes(overmind, tmp_path, words, stdin):
    home = tmp_path / "home"
    home.mkdir()
    (home / "state.db").write_bytes(b"no database" * 100)
    ran = overmind({}, "state", "recover", *words, stdin=stdin)
    assert ran.status == 1
    assert "Nobody can be asked here: repeat it with -y." in ran.err
    assert (home / "state.db").read_bytes() == b"no database" * 100
    assert "state.db is damaged" in overmind({}, "state").out


@pytest.mark.parametrize(
    ("days", "said"),
    [([], "There was no copy"), (["2026-11-26", "2026-11-25"], "No copy could be read (of 2026-11-26, 2026-11-25)")],
    ids=["none", "unread"],
)
def test_that_there_was_no_copy_is_said_only_where_there_was_none(days, said):
    lost = TableReport("missions", 1, [], [], ["api"], is_whole=True)
    report = Report(None, None, days, [lost], [], queue_paused=False)
    assert said in empty_lines(report, "/home/state.db")
    assert f"{said} to fill in what is missing" in report_lines(report)


def test_the_size_of_the_state_has_that_of_its_log(overmind, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    state = State.open(str(home / "state.db"))
    both = sum((home / name).stat().st_size for name in ("state.db", "state.db-wal"))
    assert (home / "state.db-wal").stat().st_size > 4096
    assert state_facts(Home(str(home)))["bytes"] == both
    state.close()


@pytest.mark.parametrize(
    ("queued", "said"),
    [
        ({}, "Deleted ritual nightly"),
        ({"queued": 0}, "Deleted ritual nightly"),
        ({"queued": 1}, "Deleted ritual nightly: 1 queued run will not begin"),
        ({"queued": 2}, "Deleted ritual nightly: 2 queued runs will not begin"),
    ],
    ids=["older daemon", "none", "one", "two"],
)
def test_a_ritual_that_is_deleted_says_how_many_queued_runs_go_with_it(overmind, queued, said):
    ran = overmind({"ritual_delete": [{"ok": {"id": "a1b2c3d4", "name": "nightly", **queued}}]},
                   "ritual", "delete", "nightly")  # fmt: skip
    assert ran.out == f"{said}\n"
