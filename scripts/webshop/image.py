"""The image of the shop's database: pulled, or made of this machine's Redis where no registry answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import docker

from overmind_core.containers.engine import Engine
from overmind_core.containers.model import ContainerFailed, ImageMissing
from scripts.images.__main__ import make, recipes

IMAGE = "redis:7"
MADE = "overmind-test/redis:7"
"""The one of the tests; it is the same."""


@contextmanager
def present(environ: Mapping[str, str]) -> Iterator[str]:
    """Have the image inside of the block; gives a sentence about where it came from. One that was made here is removed.

    Raises:
        EngineMissing: none answers.
        Impossible: it can be had nowhere.
    """
    engine = Engine.connect(environ)
    client = docker.APIClient(base_url=engine.url)
    made = False
    try:
        if not engine.has_image(IMAGE):
            made = not _pulled(engine)
        if made:
            _make(engine, client)
        yield f"No registry answers: {IMAGE} is made of this machine's redis-server." if made else f"It is {IMAGE}."
    finally:
        if made:
            client.remove_image(IMAGE)
        client.close()
        engine.close()


def _pulled(engine: Engine) -> bool:
    try:
        engine.pull(IMAGE, lambda _: None)
    except (ContainerFailed, ImageMissing):
        return False
    return True


def _make(engine: Engine, client: docker.APIClient) -> None:
    repository, _, tag = IMAGE.partition(":")
    if engine.has_image(MADE):
        client.tag(MADE, repository, tag)
    else:
        make(client, IMAGE, *recipes()[MADE])
