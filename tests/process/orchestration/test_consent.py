"""Every verb, asked by each program that a mission can have somebody run: none of them has a person's consent."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import socket
import sys

import pytest

from overmind_core.domain.operations import OPERATIONS
from tests.kit.raw_socket import address
from tests.kit.repositories import AUTHOR, Repository
from tests.orchestration.test_consent import QUESTIONS

pytestmark = [pytest.mark.linux, pytest.mark.shared_home]

ASK = """
import os, socket, sys
place, questions, answers = sys.argv[1:]
with open(answers + ".new", "w") as file:
    for line in open(questions):
        with socket.socket(socket.AF_UNIX) as one:
            one.settimeout(30)
            one.connect(place)
            one.sendall(line.encode())
            file.write(one.makefile().readline())
os.rename(answers + ".new", answers)
"""
HOOK = """\
#!/bin/sh
{ask} {folder}/hook
for shed in 'ulimit -S -q $(ulimit -H -q)' 'ulimit -S -q 0' 'ulimit -q 0'; do
    number=$((number + 1))
    /usr/bin/env -i {plain} /usr/bin/bash -c "$shed; "'exec /usr/bin/setsid --fork /usr/bin/env -i "$@"' - \\
        {ask} {folder}/shed$number
    while ! test -e {folder}/shed$number; do sleep 0.02; done
done
/usr/bin/env -i /usr/bin/setsid --fork /usr/bin/env -i {ask} {folder}/hidden
while ! test -e {folder}/hidden; do sleep 0.02; done
"""
PROJECT = """\
services:
  asker:
    command: '{ask} {folder}/service; echo asked; exec sleep 600'
    ready: {{ log: asked }}
isolation:
  setup: ['{ask} {folder}/setup']
"""
INSIDE = ("mission", "hook", "filter", "hidden", "shed1", "shed2", "shed3", "service", "setup", "shell", "exec")
"""The callers. `hidden`: a hook that has left its session, its parent and its environment. `shed`: one that has tried
to take off its mark as well. `shell`, `exec`: a person's, in the environment of a mission that another one started."""
HIDING = ("hidden", "shed1", "shed2", "shed3")
PLAIN = "/usr/bin/setpriv --bounding-set -sys_resource" if os.geteuid() == 0 else ""
"""Before a command: root may raise its limits."""
ALLOWED, FORBIDDEN = "allowed", "forbidden"
SIGNED = {"run", "quest_run", "apply", "report", "remember", "outcome"}
"""What a mission begins or says in its own name: it must be known which one."""
BY_ARGUMENT = {"reveal", "eyes", "cancel", "review", "export"}


def expected(name, args, who):
    """What that one is answered."""
    row = OPERATIONS[name]
    no = row.forbidden or row.within or name == "hook" or BY_ARGUMENT & args.keys()
    return FORBIDDEN if no or (name in SIGNED and who in HIDING) else ALLOWED


def judged(path):
    """What was answered to each question; an error about what was asked for is a permission to ask."""
    with open(path, encoding="utf-8") as file:
        answers = [json.loads(line) for line in file]
    return [FORBIDDEN if answer.get("error") == FORBIDDEN else ALLOWED for answer in answers]


@pytest.fixture
def asker(om, tmp_path):
    """A command line that asks every question; its last word, which is to follow, is the file for the answers."""
    om.environment.update(AUTHOR)
    om.ok("start")
    code = Repository(om.path("code"))
    code.commit("first", {})
    stranger = om.finished("echo x > new", "--isolate", "--cwd", code.folder)["id"]
    roles = {"other": om.mission("sleep 600"), "stranger": stranger}
    om.ok("remember", "a person's", "--key", "persons", "--scope", "global")
    roles["quest"] = om.json("quest", "run", "--json", "sleep 600")["id"]
    lines = [json.dumps({"cmd": name, "args": args}) for name, args in QUESTIONS]
    (tmp_path / "questions").write_text("\n".join(lines).replace('"other"', f'"{roles["other"]}"').replace(
        '"stranger"', f'"{stranger}"').replace('"quest"}', f'"{roles["quest"]}"}}') + "\n")  # fmt: skip
    (tmp_path / "ask.py").write_text(ASK)
    return shlex.join([sys.executable, str(tmp_path / "ask.py"), address(om.home), str(tmp_path / "questions")])


def test_what_each_program_that_a_mission_can_have_run_is_answered(om, asker, tmp_path):
    shop = Repository(om.path("shop"))
    shop.commit("first", {".overmind.yml": PROJECT.format(ask=asker, folder=tmp_path), "a.txt": "1\n"})
    om.ok("trust", shop.folder)
    worker = om.finished(f"echo '*.txt filter=ask' > .gitattributes; echo 2 > a.txt; {asker} {tmp_path}/mission",
                         "--cwd", shop.folder)["id"]  # fmt: skip
    shop.write({".git/hooks/pre-commit": HOOK.format(ask=asker, folder=tmp_path, plain=PLAIN)})
    os.chmod(shop.path(".git", "hooks", "pre-commit"), 0o700)
    once = f"mkdir {tmp_path}/once && {asker} {tmp_path}/filter; cat"  # what it asks runs it again
    shop.git("config", "filter.ask.clean", once)
    om.ok("commit", worker, "-m", "x")
    child = om.mission("sleep 600", "--parent", worker)
    om("shell", child, stdin=f"{asker} {tmp_path}/shell\n")
    om("exec", child, f"{asker} {tmp_path}/exec")
    for who in INSIDE:
        told = judged(tmp_path / who)
        assert told == [expected(name, args, who) for name, args in QUESTIONS], who


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another account")
def test_another_account_is_not_even_heard(om, asker, monkeypatch):
    del asker  # all that is asked for is there
    monkeypatch.chdir(om.home)
    modes = {name: os.stat(name).st_mode for name in (".", "overmind.sock")}
    for name in modes:
        os.chmod(name, 0o777)  # who opens the home to the world lets nobody in
    os.seteuid(65534)
    try:
        answers = [unheard(json.dumps({"cmd": name, "args": args}).encode()) for name, args in QUESTIONS]
    finally:
        os.seteuid(0)
        for name, mode in modes.items():
            os.chmod(name, mode)
    assert answers == [b""] * len(QUESTIONS)


def unheard(question):
    """What is answered to that; nothing when the daemon hangs up."""
    with socket.socket(socket.AF_UNIX) as one:
        one.settimeout(30)
        one.connect("overmind.sock")
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            one.sendall(question + b"\n")
            return one.recv(1000)
    return b""
