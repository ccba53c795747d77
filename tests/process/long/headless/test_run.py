"""`overmind --headless run`: what it prints, exits with and leaves, as CI sees it."""

from __future__ import annotations

import os
import subprocess

import psutil
import pytest

from tests.kit.overmind import PROGRAM


def test_fifty_megabytes_pass_and_memory_stays_flat(headless):
    line = "x" * 78
    read, write = os.pipe()
    run = headless.raw("run", f"yes {line} | head -c 50000000", stdout=write, stderr=subprocess.DEVNULL)
    os.close(write)
    got = most = 0
    for number, chunk in enumerate(iter(lambda: os.read(read, 1 << 16), b"")):
        got += len(chunk)
        if number % 16 == 0:  # now and then; what wait4(2) tells counts what was there before the exec, too
            most = max(most, psutil.Process(run.pid).memory_info().rss)
    os.close(read)
    assert (run.wait(), got) == (0, 50_000_001)  # the last line was cut off before its newline
    assert 0 < most < 120_000_000


@pytest.mark.long
@pytest.mark.linux
@pytest.mark.parametrize(("size", "says"), [("60k", "Error: disk_full: "), ("2m", "the disk is full")])
def test_a_full_disk_below_the_home_ends_the_run_and_says_so(headless, size, says):
    mount = f"mount -t tmpfs -o size={size} none {headless.folder} || exit 99"
    words = [*PROGRAM, "--headless", "run", "seq 1000000; sleep 60"]
    done = subprocess.run(
        ["unshare", "-rm", "/bin/sh", "-c", f'{mount}; exec "$@"', "sh", *words],
        env=headless.environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    if done.returncode == 99 or "unshare" in done.stderr:
        pytest.skip("this machine lets nobody mount")
    assert done.returncode == 1
    assert says in done.stderr
    assert "Traceback" not in done.stderr
