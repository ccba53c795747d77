from __future__ import annotations

import os
import subprocess
import sys

from overmind_core.system.machine import boot_id
from tests.kit.overmind import REPOSITORY

PROGRAM = "from overmind_core.system.machine import boot_id; print(boot_id())"


def test_every_process_of_a_boot_sees_the_same_id():
    world = os.environ | {"PYTHONPATH": REPOSITORY}
    other = subprocess.check_output([sys.executable, "-c", PROGRAM], text=True, env=world).strip()
    assert boot_id() == other
    assert len(boot_id()) >= 32
