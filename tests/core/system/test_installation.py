"""What is printed to install an optional part fits how this copy was installed, and names no foreign program."""

from __future__ import annotations

from importlib import metadata, util

import pytest

from overmind_core.kernel import api_server
from overmind_core.system.installation import EXTRAS, install_command, packages_of, what_is_missing


@pytest.fixture
def declared(monkeypatch):
    rows = ["rich<16,>=15", "psycopg[binary]<4,>=3.2; extra == 'swarm'", 'pynacl<2,>=1.5; extra == "swarm"',
            "numpy<3,>=2; (python_version >= '3.11') and extra == 'memory'"]  # fmt: skip
    monkeypatch.setattr(metadata, "requires", lambda _name: rows)


@pytest.mark.parametrize(
    ("file", "command"),
    [
        ("pipx_metadata.json", "pipx inject overmind-agents 'psycopg[binary]<4,>=3.2' 'pynacl<2,>=1.5'"),
        ("uv-receipt.toml", "uv tool install overmind-agents --with 'psycopg[binary]<4,>=3.2' --with 'pynacl<2,>=1.5'"),
        (None, "'/a b/python' -m pip install 'psycopg[binary]<4,>=3.2' 'pynacl<2,>=1.5'"),
    ],
)
def test_the_command_is_that_of_the_installation(declared, monkeypatch, tmp_path, file, command):
    monkeypatch.setattr(util, "find_spec", lambda _name: object())
    if file is not None:
        (tmp_path / file).write_text("{}")
    assert install_command("swarm", prefix=str(tmp_path), python="/a b/python") == command


def test_without_pip_it_is_uvs(declared, monkeypatch, tmp_path):
    monkeypatch.setattr(util, "find_spec", lambda _name: None)
    expected = "uv pip install --python /v/bin/python 'numpy<3,>=2'"
    assert install_command("memory", prefix=str(tmp_path), python="/v/bin/python") == expected


def test_a_copy_of_the_source_alone_is_installed_first(monkeypatch):
    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "requires", missing)
    assert install_command("swarm") == "make setup, or python3 -m pip install '.[swarm]' in the folder of the source"


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
        (ImportError("libpq.so is damaged", name="psycopg"), False),
    ],
)
def test_only_a_missing_optional_package_is_told_as_one(declared, monkeypatch, error, is_told):
    monkeypatch.setattr(util, "find_spec", lambda _name: None)
    told = what_is_missing(error)
    assert (told is not None) is is_told
    assert told is None or told.startswith("This needs psycopg, which is not installed. Install it with: ")


def test_a_request_whose_extra_is_missing_is_refused_with_that_line(declared, monkeypatch):
    monkeypatch.setattr(util, "find_spec", lambda _name: None)
    refused = api_server._explain(ModuleNotFoundError("No module named 'psycopg'", name="psycopg"))
    assert refused.code == "invalid"
    assert "uv pip install" in refused.message
    assert api_server._explain(ModuleNotFoundError("x", name="ours")).code == "internal"
