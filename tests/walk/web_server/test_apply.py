"""A plan's file by its path on the server's machine: shown first, applied as shown; hostile paths are not opened."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from overmind_web.server.plan_files import MOST_BYTES, MOST_PROBLEMS
from tests.kit.cases import Cases
from tests.kit.waiting import eventually
from tests.kit.web_script import WebScript

pytestmark = pytest.mark.shared_home

PLAN = """
[vars]
word = "hello"
[agents.first]
command = "echo ${vars.word}"
[agents.second]
command = "sleep 600"
depends_on = ["first"]
"""


def written(folder: Path, text: str = PLAN, name: str = "shown.toml") -> str:
    """The path of a file with this text."""
    (folder / name).write_text(text)
    return str(folder / name)


def changes(answer) -> list[tuple[str, str]]:
    """Each line of a difference."""
    return [(one["sign"], one["agent"]) for one in answer["ok"]["changes"]]


def test_the_difference_is_shown_and_what_was_shown_is_applied(om, tab, tmp_path):
    path = written(tmp_path)
    shown = tab.press("apply", path=path, dry_run=True)
    assert changes(shown) == [("+", "first"), ("+", "second")]
    assert (shown["ok"]["id"], shown["ok"]["status"], shown["ok"]["warnings"]) == (None, "planned", [])
    assert not om.api("plans"), "nothing has been started"
    made = tab.press("apply", path=path, sha256=shown["ok"]["sha256"])
    assert made["ok"]["status"] == "started"
    plan = om.api("plan", id=made["ok"]["id"])
    assert (plan["name"], plan["file"]) == ("shown", path)
    assert om.ok("apply", path).startswith("unchanged"), "the command line names the same plan by the same file"
    om.ok("delete", "-y", "shown")


def test_a_file_that_changed_since_it_was_shown_is_not_applied(om, tab, tmp_path):
    path = written(tmp_path, name="moved.toml")
    shown = tab.press("apply", path=path, dry_run=True)["ok"]
    written(tmp_path, PLAN.replace("sleep 600", "rm -rf ."), "moved.toml")
    refused = tab.press("apply", path=path, sha256=shown["sha256"])
    assert refused["error"] == "conflicts"
    assert "changed since it was shown" in refused["message"]
    assert "moved" not in {one["name"] for one in om.api("plans")}


@pytest.mark.own_home
def test_variables_and_a_name_win_over_the_file_and_the_home_may_be_named(om, tab, tmp_path, site):
    folder = Path(om.environment["HOME"])
    written(folder, name="athome.toml")
    made = tab.press("apply", path="~/athome.toml", name="other", variables={"word": "bye"})["ok"]
    assert made["name"] == "other"
    first = eventually(lambda: om.api("plan", id="other")["agents"][0]["mission"], what="its first agent has begun")
    om.wait_status(first, "stopped")
    assert "bye" in om.ok("logs", first)
    om.ok("delete", "-y", "other")


def test_only_what_failed_runs_again(om, tab, tmp_path):
    text = '[agents.good]\ncommand = "true"\n[agents.bad]\ncommand = "test -e ok"\n'
    path = written(tmp_path, text, "halves.toml")
    plan = tab.press("apply", path=path)["ok"]["id"]
    om.wait_status(plan, "stopped", "crashed", "killed")
    shown = tab.press("apply", path=path, rerun="failed", dry_run=True)
    assert changes(shown) == [("~", "bad")]
    (tmp_path / "ok").touch()
    made = tab.press("apply", path=path, rerun="failed", sha256=shown["ok"]["sha256"])["ok"]
    assert (made["id"], made["status"]) == (plan, "started")
    om.wait_status(plan, "stopped")


def test_hostile_paths_are_refused_at_once_and_the_tab_lives_on(tab, tmp_path, om):
    folder = str(tmp_path)
    os.mkfifo(tmp_path / "pipe.toml")
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(tmp_path / "s"))
    (tmp_path / "binary.toml").write_bytes(bytes(range(256)) * 64)
    (tmp_path / "huge.toml").write_bytes(b"#" * (MOST_BYTES + 1))
    with open(tmp_path / "sparse.toml", "wb") as file:
        file.truncate(1 << 40)
    (tmp_path / "circle.toml").symlink_to("circle.toml")
    (tmp_path / "zero.toml").symlink_to("/dev/zero")
    (tmp_path / "pipe.env").symlink_to("pipe.toml")
    (tmp_path / "nul.toml").write_bytes(b'[agents.a]\ncommand = "a\0b"\n')
    secret = Path(written(tmp_path, name="secret.toml"))
    secret.chmod(0)
    many = "".join(f"[agents.a{number}]\ncmd = 1\n" for number in range(2 * MOST_PROBLEMS))
    cases = [
        ("a folder", folder, "Is a directory"),
        ("the root", "/", "Is a directory"),
        ("a device without end", "/dev/zero", "not an ordinary file"),
        ("a link to one", f"{folder}/zero.toml", "not an ordinary file"),
        ("a terminal", "/dev/tty", "not an ordinary file"),
        ("a pipe", f"{folder}/pipe.toml", "not an ordinary file"),
        ("a socket", f"{folder}/s", "not an ordinary file"),
        ("huge", f"{folder}/huge.toml", "has more than"),
        ("huge and empty", f"{folder}/sparse.toml", "has more than"),
        ("binary", f"{folder}/binary.toml", "has a mistake"),
        ("a NUL inside", f"{folder}/nul.toml", "mistake"),
        ("a process's memory", "/proc/self/mem", "."),
        ("not there", f"{folder}/none.toml", "No such file"),
        ("below a file", f"{folder}/huge.toml/x", "Not a directory"),
        ("a circle of links", f"{folder}/circle.toml", "symbolic links"),
        ("relative", "blueprint.toml", "not an absolute path"),
        ("relative, up", "../blueprint.toml", "not an absolute path"),
        ("another's home", "~root/x.toml", "not an absolute path"),
        ("standard input", "-", "not an absolute path"),
        ("an address", "file:///etc/passwd", "not an absolute path"),
        ("empty", "", "not an absolute path"),
        ("a NUL", "/tmp/\0.toml", "not an absolute path"),
        ("too long", "/" + "x" * 5000, "too long"),
        ("no blueprint", "/etc/passwd", "mistake"),
        ("many mistakes", written(tmp_path, many, "many.toml"), "mistakes"),
        ("nested", written(tmp_path, "x = " + "[" * 100_000, "nested.toml"), ""),
        ("a pipe of variables",
         written(tmp_path, f'[agents.a]\ncommand = "x"\nenv_file = "{folder}/pipe.env"\n', "named.toml"), "mistake"),
        ("variables without end",
         written(tmp_path, '[agents.a]\ncommand = "x"\nenv_file = "/dev/zero"\n', "endless.toml"), "mistake"),
    ]  # fmt: skip
    if os.getuid() != 0:
        cases.append(("no permission", str(secret), "Permission denied"))
    table = Cases()
    for name, path, words in cases:
        with table(name):
            refused = tab.press("apply", path=path, dry_run=True)
            assert refused.get("error") in {"invalid", "too_large"}, refused
            assert words in refused["message"]
            assert len(refused.get("problems", ())) <= MOST_PROBLEMS + 1
    table.verdict()
    listening.close()
    assert tab.press("apply", path=written(tmp_path, name="last.toml"), dry_run=True)["ok"]["changes"]


def test_arguments_that_are_none_are_refused(tab, tmp_path):
    path = written(tmp_path, name="odd.toml")
    table = Cases()
    for odd in (
        {"path": 3}, {"path": None}, {"path": [path]}, {"path": path, "cwd": "/"}, {"path": path, "blueprint": {}},
        {"path": path, "variables": {"word": 3}}, {"path": path, "variables": []}, {"path": path, "rerun": 3},
        {"path": path, "dry_run": 1}, {"path": path, "name": "a name"}, {"path": path, "variables": {"wrod": "x"}},
    ):  # fmt: skip
        with table(str(odd)):
            assert tab.press("apply", **{"dry_run": True, **odd})["error"] == "invalid"
    table.verdict()


def test_mistakes_are_told_with_their_places_and_control_characters_are_spelled_out(tab, tmp_path):
    path = written(tmp_path, '[agents.a]\ncommand = "true"\n"\\u001b[31m\\u202e" = 1\n', "wrong.toml")
    refused = tab.press("apply", path=path, dry_run=True)
    assert refused["problems"][0].startswith("3:1: ")
    assert "\x1b" not in str(refused)
    assert "\u202e" not in str(refused)


def test_a_file_with_fleets_is_for_the_command_line(tab, tmp_path):
    path = written(tmp_path, f"{PLAN}[fleets.third]\n[agents.third]\ncommand = 'true'\n", "fleets.toml")
    answer = tab.press("apply", path=path)
    assert answer["error"] == "invalid"
    assert f"overmind apply {path}" in answer["message"]


def test_a_login_that_may_only_look_learns_nothing_of_a_file(om, site, tmp_path):
    reader = WebScript(site.port, om.api("web_token", name="looker", read_only=True)["token"])
    for path in (written(tmp_path), "/etc/shadow", "/nowhere"):
        reply = reader.post("apply", {"path": path, "dry_run": True})
        assert reply.error == "forbidden"
        assert path not in reply.body.decode()


def test_a_script_applies_a_file_by_its_path(om, site, tmp_path):
    script = WebScript(site.port, om.api("web_token", name="applier")["token"])
    path = written(tmp_path, name="scripted.toml")
    assert [one["agent"] for one in script.post("apply", {"path": path, "dry_run": True}).json["changes"]] == [
        "first",
        "second",
    ]
    made = script.post("apply", {"path": path}).json
    assert om.api("plan", id=made["id"])["name"] == "scripted"
    om.ok("delete", "-y", "scripted")
