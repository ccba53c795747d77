"""Make the images that are missing. Exit status 3: they cannot be had here; the last line says why."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping

import docker

from overmind_core.containers.engine import Engine, EngineMissing
from scripts.images.tree import archive

STAY = "trap 'exit 0' TERM INT; while :; do sleep 1000 & wait $!; done"
CMD = "CMD " + json.dumps(["sh", "-c", f'eval "${{RUN:-{STAY}}}"'])
PACKAGES = ("busybox-static", "redis-tools")
"""Debian's; the second holds redis-server, by the name of a checker, and starts nothing when it is installed."""


class Impossible(Exception):
    """The images cannot be had."""


def main() -> int:
    """Make what is missing."""
    try:
        engine = Engine.connect(os.environ)
    except EngineMissing as error:
        sys.stderr.write(f"{error.why}\n")
        return 3
    client = docker.APIClient(base_url=engine.url)
    try:
        for image, (files, changes) in recipes().items():
            if "--again" in sys.argv or not engine.has_image(image):
                make(client, image, files, changes)
            sys.stdout.write(f"{image}\n")
    except Impossible as error:
        sys.stderr.write(f"{error}\n")
        return 3
    finally:
        client.close()
        engine.close()
    return 0


def recipes() -> Mapping[str, tuple[str, list[str]]]:
    """Name of an image → the program in it, and what `docker import -c` sets.

    What a container of busybox does is the environment variable RUN, a script; it stays when there is none.
    """
    return {
        "overmind-test/busybox:1": ("busybox", [CMD]),
        "overmind-test/healthy:1": (
            "busybox",  # healthy once that file is there
            [CMD, "HEALTHCHECK --interval=1s --timeout=2s --retries=2 CMD test -e /tmp/healthy"],
        ),
        "overmind-test/redis:7": (
            "redis",
            [
                'CMD ["redis-server", "--protected-mode", "no", "--dir", "/data", "--save", "3600", "1"]',
                "EXPOSE 6379",
            ],
        ),
    }


def make(client: docker.APIClient, image: str, files: str, changes: list[str]) -> None:
    """Import one image."""
    repository, _, tag = image.partition(":")
    said = client.import_image_from_data(FILES[files](), repository=repository, tag=tag, changes=changes)
    if "error" in str(said):
        raise Impossible(f"image {image} could not be imported: {str(said).strip()}")


def busybox() -> bytes:
    """A shell and all that goes with it."""
    return with_shell({})


def redis() -> bytes:
    """A database with its client."""
    server = found("redis-server", "redis-check-rdb")
    return with_shell({"/bin/redis-server": server, "/bin/redis-cli": found("redis-cli")})


def with_shell(programs: Mapping[str, str]) -> bytes:
    """These programs, beside busybox by all its names."""
    program = found("busybox")
    names = subprocess.run([program, "--list"], capture_output=True, text=True, check=True).stdout.split()
    links = {f"/bin/{name}": "busybox" for name in names if name != "busybox"}
    return archive({"/bin/busybox": program, **programs}, links)


FILES = {"busybox": busybox, "redis": redis}


def found(*names: str) -> str:
    """Path of the first of these programs; Debian's packages are installed when that is possible."""
    for _ in range(2):
        for name in names:
            if program := shutil.which(name):
                return os.path.realpath(program)
        install()
    raise Impossible(f"No images for tests: no {names[0]} is here, and apt-get did not bring it")


def install() -> None:
    """Install the packages, where this machine and this user can."""
    if sys.platform != "linux" or os.getuid() != 0 or shutil.which("apt-get") is None:
        raise Impossible(f"No images for tests: they are made of Debian's {' and '.join(PACKAGES)} (install both)")
    sys.stderr.write(f"Installing {' and '.join(PACKAGES)}\n")
    quietly = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *PACKAGES]):
        subprocess.run(["apt-get", *words], stdout=subprocess.DEVNULL, check=False, env=quietly)


if __name__ == "__main__":
    sys.exit(main())
