"""Two agents of one repository on one file: told before either lands, and settled by the second one itself."""

from __future__ import annotations

import hashlib
import os
import stat

import pytest

from tests.kit import scripted
from tests.kit.queued_shop import Shop
from tests.kit.waiting import eventually

pytestmark = pytest.mark.own_home

SETTINGS = """
[queue]
backoff = "1ms"
[health]
beat = "100ms"
quiet = 100000
stalled = 200000
[guardian]
every = "50ms"
"""
"""The agents wait for the test in silence, which is not what this is about."""


def checkout(folder):
    """What a person has: every file with its mode and time, and what git keeps of this checkout alone."""
    found: dict[str, object] = {}
    for where, folders, files in os.walk(folder):
        folders[:] = [one for one in folders if one not in {".git", ".overmind"}]
        for path in (os.path.join(where, name) for name in files):
            with open(path, "rb") as file:
                about = os.lstat(path)
                found[path] = file.read(), stat.S_IMODE(about.st_mode), about.st_mtime_ns
    for name in ("HEAD", "index"):
        with open(os.path.join(folder, ".git", name), "rb") as file:
            found[name] = hashlib.sha256(file.read()).hexdigest()
    return found


def test_both_are_told_before_either_lands_and_a_persons_checkout_stays_byte_for_byte(om, tmp_path):
    """Acceptance 48, and of the conductor: overlap from real merges, which change nothing that anybody sees."""
    shop = Shop(om, SETTINGS)
    code = shop.code
    code.git("branch", "next")
    code.write({"a": "half\n", "staged": "new\n", "untracked": "mine\n"})
    code.git("add", "staged")
    before, main = checkout(code.folder), shop.head("main")

    merged = {"call": "git merge -q --no-edit next || { printf 'ours\\ntheirs\\n' > b; git commit -qam Both; }"}
    script = {
        "quests.first": [{"write": "b", "text": "ours\n"}, {"until": om.path("first.go")}],
        "quests.second.1": [{"write": "b", "text": "theirs\n"}, {"until": om.path("second.go")}],
        "quests.second.2": [{"read": "feedback.md"}, merged],
    }
    command = scripted.command(scripted.write(tmp_path, script))
    first, second = (shop.add(name, command, into="next", verify="test -s b") for name in ("first", "second"))

    (told,) = eventually(lambda: om.events("overlap"), timeout=40.0, what="the overlap is told")
    assert {told["mission"], told["other"]} == {first, second}
    assert (told["files"], told["conflicts"], told["by"]) == (["b"], ["b"], "engine")
    assert om.ok("health").splitlines()[-1].endswith("2 running · 2 agents change the same files")
    assert (om.events("landed"), shop.head("next")) == ([], main)
    assert checkout(code.folder) == before

    shop.go("first")
    assert shop.ended(first)["status"] == "completed"
    assert checkout(code.folder) == before
    shop.go("second")
    info = shop.ended(second)
    assert (info["status"], [one["class"] for one in info["attempt_list"]]) == ("completed", ["conflicts", None])
    for side in ("ours", "theirs"):
        assert side in om.ok("quest", "logs", "second")
    assert code.git("show", "next:b") == "ours\ntheirs"
    assert shop.log("next")[:2] == ["Merge overmind/second into next", "Merge overmind/first into next"]
    landed = om.events("landed")
    assert [one["mission"] for one in landed] == [first, second]
    assert told["seq"] < landed[0]["seq"]
    assert [one["seq"] for one in om.events("overlap")] == [told["seq"]], "each pair is told of a file once"
    assert (checkout(code.folder), shop.head("main")) == (before, main)
    assert om.json("inbox", "--json") == []


def test_the_next_daemon_does_not_tell_it_again(om):
    shop = Shop(om, SETTINGS)
    begin = lambda name: shop.add(name, f"echo {name} > b; {shop.held(name)}", isolate=True)  # noqa: E731
    sharing = lambda count: om.ok("health").splitlines()[-1].endswith(f"{count} agents change the same files")  # noqa: E731
    begin("first")
    begin("second")
    (told,) = eventually(lambda: om.events("overlap"), timeout=40.0, what="the overlap is told")
    om.ok("start", "--replace")
    eventually(lambda: sharing(2), timeout=40.0, what="the next daemon has looked at both")
    begin("third")
    eventually(lambda: len(om.events("overlap")) == 3, timeout=40.0, what="the third one shares a file with each")
    pairs = [frozenset((one["mission"], one["other"])) for one in om.events("overlap")]
    assert len(set(pairs)) == 3
    assert pairs[0] == {told["mission"], told["other"]}
