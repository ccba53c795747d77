"""`wait` and `quest wait` that a person leaves, or whose daemon goes away: what they waited for goes on, or stays."""

from __future__ import annotations

import pytest

from overmind_core.errors import OvermindError

ANSWER = {"missions": [{"id": "a1b2c3d4", "name": "docs"}, {"id": "b1b2c3d4", "name": "api"}]}
RUNNING = {"quest": lambda args: [{"ok": {"id": args["id"], "name": args["id"][:1], "status": "running"}}]}


@pytest.fixture
def meanwhile(monkeypatch):
    """Say which of two are waited for, and what comes before any of them has ended."""

    def happens(error: BaseException, count: int) -> None:
        def follow(*_args, **_options):
            yield "ok", {"missions": ANSWER["missions"][:count]}
            raise error

        monkeypatch.setattr("overmind_core.cli.missions.watch.follow", follow)

    return happens


ONE = "Mission docs (a1b2c3d4) is not waited for any longer, and what runs goes on."
TWO = "2 missions are not waited for any longer, and what runs goes on."
LEFT = [
    (("quest", "wait", "docs"), "Quest a (a1b2c3d4) goes on. Wait for it again with: overmind quest wait a"),
    (("quest", "wait", "docs", "api"), "2 quests go on. Wait for them again with: overmind quest wait a b"),
    (("wait", "docs"), f"{ONE} Wait for it again with: overmind wait docs"),
    (("wait", "docs", "api"), f"{TWO} Wait for them again with: overmind wait docs api"),
]


@pytest.mark.parametrize(("words", "said"), LEFT)
def test_who_leaves_with_ctrl_c_is_told_what_goes_on(overmind, meanwhile, words, said):
    meanwhile(KeyboardInterrupt(), len(words) - words.index("wait") - 1)
    ran = overmind(RUNNING, *words)
    assert (ran.status, ran.out, ran.err) == (130, "", f"\n{said}\n")


@pytest.mark.parametrize("command", [("quest", "wait"), ("wait",)])
def test_a_daemon_that_goes_away_is_no_failure_of_what_was_waited_for(overmind, meanwhile, command):
    meanwhile(OvermindError("daemon_lost"), 2)
    ran = overmind({}, *command, "docs", "api")
    assert (ran.status, ran.out) == (3, "")
    assert ran.err == (
        "Error: daemon_lost: Not ended: docs (a1b2c3d4), api (b1b2c3d4). The daemon is gone. "
        "Go on with: overmind start\n"
    )
