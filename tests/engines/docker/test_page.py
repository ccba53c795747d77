"""The page about isolation does what it says, with a container."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from tests.kit.containers import REDIS
from tests.pages.scenes import ENGINE
from tests.process.pages.stage import try_page


@pytest.mark.parametrize("page", ENGINE)
def test_its_console_blocks_say_what_comes(om, tmp_path, page):
    om.environment["DOCKER_HOST"] = os.environ["DOCKER_HOST"]
    scene = ENGINE[page]
    files = {name: text.replace("redis:7", REDIS) for name, text in scene.files.items()}
    try_page(
        om,
        str(tmp_path),
        page,
        replace(scene, files=files),
        names={"redis:7": REDIS, "unix:///var/run/docker.sock": os.environ["DOCKER_HOST"]},
    )
