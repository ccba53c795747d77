"""What the machine says of itself: its boot, its two times and its time zone."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from overmind_core.system.machine import Clock, SystemClock, boot_id, system_zone
from tests.kit.overmind import REPOSITORY

PROGRAM = "from overmind_core.system.machine import boot_id; print(boot_id())"


def test_every_process_of_a_boot_sees_the_same_id():
    world = os.environ | {"PYTHONPATH": REPOSITORY}
    other = subprocess.check_output([sys.executable, "-c", PROGRAM], text=True, env=world).strip()
    assert boot_id() == other
    assert len(boot_id()) >= 32


def test_the_system_s_clock_tells_both_times():
    clock: Clock = SystemClock()
    assert clock.wall() == pytest.approx(time.time(), abs=5.0)
    first, second = clock.mono(), clock.mono()
    assert first <= second <= time.monotonic()


@pytest.mark.parametrize(
    ("variable", "expected"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        (":Europe/Berlin", "Europe/Berlin"),
        ("/usr/share/zoneinfo/Europe/Berlin", "Europe/Berlin"),
        (":/usr/share/zoneinfo/posix/Europe/Berlin", "Europe/Berlin"),
        ("UTC", "UTC"),
        ("<+03>-3", "Asia/Tokyo"),
        ("Mars/Olympus", "Asia/Tokyo"),
        ("../../etc", "Asia/Tokyo"),
        ("", "Asia/Tokyo"),
    ],
)
def test_the_variable_counts_where_it_names_a_zone(tmp_path, absent, variable, expected):
    link = tmp_path / "localtime"
    link.symlink_to("/usr/share/zoneinfo/Asia/Tokyo")
    assert system_zone({"TZ": variable}, link=str(link), file=absent) == expected


def test_a_system_that_copies_the_table_has_a_file_with_its_name(tmp_path):
    (tmp_path / "localtime").write_bytes(b"TZif2")
    (tmp_path / "timezone").write_text("Asia/Tokyo\n")
    assert system_zone({}, link=str(tmp_path / "localtime"), file=str(tmp_path / "timezone")) == "Asia/Tokyo"


def test_nobody_says_anything(tmp_path, absent):
    (tmp_path / "timezone").write_bytes(b"\xff\xfe")
    assert system_zone({}, link=absent, file=absent) == "UTC"
    assert system_zone({}, link=absent, file=str(tmp_path / "timezone")) == "UTC"
