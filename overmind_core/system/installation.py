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


def what_is_missing(error: ImportError, extra: str = "") -> str | None:
    """For people, why an optional part can't be used, and what installs it; None: that is not the reason.

    Args:
        error: Of its import.
        extra: The extra that it is for, where several bring the package.
    """
    module = _optional_module(error)
    if module is None:
        return None
    from importlib import util  # noqa: PLC0415 - start-up: for who lacks something

    extra = extra or EXTRAS[module]
    if isinstance(error, ModuleNotFoundError) and util.find_spec(module) is None:
        return f"This needs {module}, which is not installed. Install it with: {install_command(extra)}"
    command = install_command(extra, again=True)
    reason = next((line.lstrip("- ") for line in reversed(str(error).splitlines()) if line.strip()), "it says no more")
    return f"This needs {module}, which can't be loaded ({reason}). Install it anew with: {command}"


def _optional_module(error: ImportError) -> str | None:
    """The optional package that is missing, or in whose own code the import has failed."""
    names, place = [error.name or ""], error.__traceback__
    while place is not None:
        names.append(place.tb_frame.f_globals.get("__name__", ""))
        place = place.tb_next
    packages = (name.partition(".")[0] for name in names)
    return next((package for package in packages if package in EXTRAS), None)


def packages_of(extra: str) -> list[str]:
    """The packages that an extra adds, as requirements without their markers.

    Raises:
        PackageNotFoundError: nothing is installed: this is a copy of the source alone.
    """
    from importlib import metadata  # noqa: PLC0415 - start-up: it loads zipfile, tempfile and email

    found = map(_EXTRA.fullmatch, metadata.requires(DISTRIBUTION) or ())
    return [one["package"].strip() for one in found if one is not None and one["extra"] == extra]


def install_command(extra: str, *, again: bool = False, prefix: str = sys.prefix, python: str = sys.executable) -> str:
    """The command that adds what an extra needs to this very installation, for a person to type.

    Args:
        extra: One of pyproject.toml's.
        again: Packages that are there already are installed anew.
        prefix: The environment that this runs in.
        python: Its Python.
    """
    from importlib import metadata, util  # noqa: PLC0415 - as above

    try:
        packages = packages_of(extra)
    except metadata.PackageNotFoundError:
        setup, anew = ("", "--force-reinstall ") if again else ("make setup, or ", "")
        return f"{setup}python3 -m pip install {anew}'.[{extra}]' in the folder of the source"
    words = " ".join(map(shlex.quote, packages))
    if os.path.exists(os.path.join(prefix, PIPX_FILE)):
        anew = "--force --pip-args=--force-reinstall " if again else ""  # --force alone does it from pipx 1.15 on
        return f"pipx inject {anew}{DISTRIBUTION} {words}"
    anew = "--reinstall " if again else ""
    if os.path.exists(os.path.join(prefix, UV_FILE)):
        return f"uv tool install {anew}{DISTRIBUTION} {' '.join(f'--with {shlex.quote(one)}' for one in packages)}"
    if util.find_spec("pip") is None:
        return f"uv pip install {anew}--python {shlex.quote(python)} {words}"
    return f"{shlex.quote(python)} -m pip install {'--force-reinstall ' if again else ''}{words}"
