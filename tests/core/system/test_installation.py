"""What is printed to install an optional part fits how this copy was installed, and names no foreign program."""

from __future__ import annotations

from importlib import metadata, util
from typing import Any

import pytest

from overmind_core.kernel import api_server
from overmind_core.system.installation import EXTRAS, install_command, packages_of, what_is_missing


@pytest.fixture
def declared(monkeypatch):
    rows = ["rich<16,>=15", "psycopg[binary]<4,>=3.2; extra == 'swarm'", 'pynacl<2,>=1.5; extra == "swarm"',
            "numpy<3,>=2; (python_version >= '3.11') and extra == 'memory'"]  # fmt: skip
    monkeypatch.setattr(metadata, "requires", lambda _name: rows)


@pytest.mark.parametrize(
    ("file", "command", "anew"),
    [
        (
            "pipx_metadata.json",
            "pipx inject {}overmind-agents 'psycopg[binary]<4,>=3.2' 'pynacl<2,>=1.5'",
            "--force --pip-args=--force-reinstall ",
        ),
        (
            "uv-receipt.toml",
            "uv tool install {}overmind-agents --with 'psycopg[binary]<4,>=3.2' --with 'pynacl<2,>=1.5'",
            "--reinstall ",
        ),
        (None, "'/a b/python' -m pip install {}'psycopg[binary]<4,>=3.2' 'pynacl<2,>=1.5'", "--force-reinstall "),
    ],
)
def test_the_command_is_that_of_the_installation(declared, monkeypatch, tmp_path, file, command, anew):
    monkeypatch.setattr(util, "find_spec", lambda _name: object())
    if file is not None:
        (tmp_path / file).write_text("{}")
    here: Any = {"prefix": str(tmp_path), "python": "/a b/python"}
    assert install_command("swarm", **here) == command.format("")
    assert install_command("swarm", again=True, **here) == command.format(anew)


def test_without_pip_it_is_uvs(declared, monkeypatch, tmp_path):
    monkeypatch.setattr(util, "find_spec", lambda _name: None)
    here: Any = {"prefix": str(tmp_path), "python": "/v/bin/python"}
    expected = "--python /v/bin/python 'numpy<3,>=2'"
    assert install_command("memory", **here) == f"uv pip install {expected}"
    assert install_command("memory", again=True, **here) == f"uv pip install --reinstall {expected}"


def test_a_copy_of_the_source_alone_is_installed_first(monkeypatch):
    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "requires", missing)
    assert install_command("swarm") == "make setup, or python3 -m pip install '.[swarm]' in the folder of the source"
    anew = "python3 -m pip install --force-reinstall '.[swarm]' in the folder of the source"
    assert install_command("swarm", again=True) == anew


def test_what_is_printed_is_what_this_copy_declares():
    assert all(packages_of(extra) for extra in set(EXTRAS.values()))
    command = install_command("swarm")
    assert "psycopg" in command
    assert "overmind[" not in command
    assert "overmind'" not in command


@pytest.mark.parametrize(
    ("error", "is_told"),
    [
        (ModuleNotFoundError("x", name="psycopg"), True),
        (ModuleNotFoundError("x", name="psycopg.rows"), True),
        (ModuleNotFoundError("x", name="overmind_core.nothing"), False),
        (ModuleNotFoundError("x"), False),
        (ImportError("cannot import name 'x'", name="overmind_core.nothing"), False),
    ],
)
def test_only_a_missing_optional_package_is_told_as_one(declared, monkeypatch, error, is_told):
    monkeypatch.setattr(util, "find_spec", lambda _name: None)
    told = what_is_missing(error)
    assert (told is not None) is is_told
    assert told is None or told.startswith("This needs psycopg, which is not installed. Install it with: ")


def failed_import(module, error):
    """The error of an import that fails in the code of `module`."""
    try:
        exec("raise error", {"__name__": module, "error": error})
    except ImportError as found:
        return found


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ImportError("libpq.so is damaged", name="psycopg"), "psycopg, which can't be loaded (libpq.so is damaged)"),
        (
            failed_import("psycopg.pq", ImportError("no pq wrapper available.\nAttempts made:\n- no libpq\n")),
            "psycopg, which can't be loaded (no libpq)",
        ),
        (
            failed_import("nacl.bindings", ModuleNotFoundError("No module named '_cffi'", name="_cffi")),
            "nacl, which can't be loaded (No module named '_cffi')",
        ),
        (failed_import("numpy", ImportError()), "numpy, which can't be loaded (it says no more)"),
    ],
)
def test_an_optional_package_that_fails_in_its_own_import_is_told_without_a_traceback(declared, caplog, error, reason):
    refused = api_server._explain(error)
    assert refused.code == "invalid"
    assert refused.message.startswith(f"This needs {reason}. Install it anew with: ")
    assert "reinstall" in refused.message
    assert not caplog.records


def test_a_request_whose_extra_is_missing_is_refused_with_that_line(declared, monkeypatch):
    monkeypatch.setattr(util, "find_spec", lambda _name: None)
    refused = api_server._explain(ModuleNotFoundError("No module named 'psycopg'", name="psycopg"))
    assert refused.code == "invalid"
    assert "uv pip install" in refused.message
    assert api_server._explain(ModuleNotFoundError("x", name="ours")).code == "internal"
