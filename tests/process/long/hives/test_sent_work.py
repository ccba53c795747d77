"""Work that is sent to a hive, done there in a worktree, looked at from here, and landed here."""

from __future__ import annotations

import contextlib
import subprocess
from pathlib import Path

from tests.process.hives.test_sent_work import Sender


def test_over_a_real_server_with_the_link_cut_at_any_moment_a_run_begins_once(far, sshd, tmp_path):
    sender = Sender(far, tmp_path / "shop")
    sshd.serve_home("eu1", sender.there)
    Path(far.om.home, "config.toml").write_text('[hives.eu1]\nssh = "eu1"\n')
    assert sender.log(sender.run("cat a.txt")) == ["one"]
    for number in range(6):
        name = f"once-{number}"
        words = ("run", "-H", "eu1", "--isolate", "--name", name, "sleep 300")
        starter = far.om.popen(*words, cwd=sender.own.folder)
        with contextlib.suppress(subprocess.TimeoutExpired):
            starter.wait(0.1 * number)
        sshd.cut()
        out, said = starter.communicate(timeout=60)
        started = [row for row in sender.there.ps() if row["name"] == name]
        assert len(started) == (1 if starter.returncode == 0 else len(started)) <= 1, (out, said)
    mission = sender.run("echo two > a.txt; git commit -qam two")
    merging = far.om.popen("merge", mission, cwd=sender.own.folder)
    with contextlib.suppress(subprocess.TimeoutExpired):
        merging.wait(0.2)
    sshd.cut()
    out, said = merging.communicate(timeout=60)
    if merging.returncode:  # it was cut before the hive had answered at all
        assert (said.startswith("Error: hive_silent: "), sender.own.read("a.txt")) == (True, "one\n"), (out, said)
        sender("merge", mission)
    assert sender.own.read("a.txt") == "two\n", (out, said)
