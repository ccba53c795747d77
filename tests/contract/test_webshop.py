"""The example of isolation with processes instead of containers: nobody sees the other's server, database or files."""

from __future__ import annotations

import os
import subprocess
import sys

from scripts.webshop.stage import SHOP
from tests.kit.blueprint_texts import problems
from tests.kit.overmind import REPOSITORY


def test_the_shop_passes_its_own_tests_and_its_plan_is_right():
    finished = subprocess.run(
        [sys.executable, "-m", "unittest", "-q"],
        cwd=SHOP,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert finished.returncode == 0, finished.stderr
    assert problems((SHOP / "webshop.toml").read_text(encoding="utf-8")) == []
    assert os.access(os.path.join(REPOSITORY, "scripts", "demo-isolation"), os.X_OK)
