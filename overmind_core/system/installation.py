"""How this copy of the program was installed, and the command that adds to it what an extra needs.

The packages are named one by one, as this copy declares them: the name of a distribution that is not published, or is
published by somebody else, would install another program.
"""

from __future__ import annotations

import os
import re
import shlex
import sys

DISTRIBUTION = "overmind-agents"
"""`overmind` on PyPI is another company's."""
PIPX_FILE = "pipx_metadata.json"
"""In the environment of a program that pipx has installed. Source: pipx, `pipx_metadata_file.py`."""
UV_FILE = "uv-receipt.toml"
"""In that of a tool of uv's. Source: uv, `uv tool`."""

_EXTRA = re.compile(r"""(?P<package>[^;]+);.*\bextra\s*==\s*['"](?P<extra>[^'"]+)['"]""")


EXTRAS = {
    "nacl": "swarm", "numpy": "memory", "psycopg": "swarm", "safetensors": "memory", "tokenizers": "memory",
}  # fmt: skip
"""Module of an optional package → the extra that brings it."""


def what_is_missing(error: ImportError) -> str | None:
    """For people, why an optional part can't be used, and what installs it; None: that is not the reason."""
    module = (error.name or "").partition(".")[0]
    extra = EXTRAS.get(module)
    if extra is None or not isinstance(error, ModuleNotFoundError):
        return None
    from importlib import util  # noqa: PLC0415 - start-up: for who lacks something

    if util.find_spec(module) is not None:
        return None
    return f"This needs {module}, which is not installed. Install it with: {install_command(extra)}"


def packages_of(extra: str) -> list[str]:
    """The packages that an extra adds, as requirements without their markers.

    Raises:
        PackageNotFoundError: nothing is installed: this is a copy of the source alone.
    """
    from importlib import metadata  # noqa: PLC0415 - start-up: it loads zipfile, tempfile and email

    found = map(_EXTRA.fullmatch, metadata.requires(DISTRIBUTION) or ())
    return [one["package"].strip() for one in found if one is not None and one["extra"] == extra]


def install_command(extra: str, *, prefix: str = sys.prefix, python: str = sys.executable) -> str:
    """The command that adds what an extra needs to this very installation, for a person to type.

    Args:
        extra: One of pyproject.toml's.
        prefix: The environment that this runs in.
        python: Its Python.
    """
    from importlib import metadata, util  # noqa: PLC0415 - as above

    try:
        packages = packages_of(extra)
    except metadata.PackageNotFoundError:
        return f"make setup, or python3 -m pip install '.[{extra}]' in the folder of the source"
    words = " ".join(map(shlex.quote, packages))
    if os.path.exists(os.path.join(prefix, PIPX_FILE)):
        return f"pipx inject {DISTRIBUTION} {words}"
    if os.path.exists(os.path.join(prefix, UV_FILE)):
        return f"uv tool install {DISTRIBUTION} {' '.join(f'--with {shlex.quote(one)}' for one in packages)}"
    if util.find_spec("pip") is None:
        return f"uv pip install --python {shlex.quote(python)} {words}"
    return f"{shlex.quote(python)} -m pip install {words}"
