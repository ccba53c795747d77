"""Named hives over a real sshd: as `ssh HOST`, with the person's own keys and nothing else."""

from __future__ import annotations

import contextlib
import subprocess

from tests.process.hives.test_ssh import serve


def test_a_repeated_run_starts_once_wherever_the_link_is_cut(far, sshd):
    serve(far, sshd, "eu1")
    there = far.home("eu1")
    there.ok("start")
    for number in range(8):
        starter = far.om.popen("run", "-H", "eu1", "--name", f"once-{number}", "sleep 300")
        with contextlib.suppress(subprocess.TimeoutExpired):
            starter.wait(0.03 * number)
        sshd.cut()
        out, said = starter.communicate(timeout=60)
        started = [row for row in there.ps() if row["name"] == f"once-{number}"]
        assert len(started) == (1 if starter.returncode == 0 else len(started)) <= 1, (out, said)
