"""The check of the web server: with settings and files as people have them."""

from __future__ import annotations

import os
import sys

import pytest

from overmind_core.cli.doctor import web
from overmind_core.cli.doctor.finding import CheckContext
from overmind_core.cli.external import ProgramResult, run_program
from overmind_core.system.paths import Home
from overmind_core.system.web_server import WebServer, lock_web_server, write_web_server
from tests.kit.cortex import make_certificate


@pytest.fixture
def home(tmp_path):
    return Home(str(tmp_path))


@pytest.fixture
def settings(home):
    """Write `[web]` of config.toml."""

    def write(text):
        with open(home.config, "w") as file:
            file.write(f"[web]\n{text}\n")

    return write


@pytest.fixture
def files(tmp_path, settings):
    """A certificate and its key, which the settings name."""
    cert, key = str(tmp_path / "cert.pem"), str(tmp_path / "key.pem")
    make_certificate(cert, key)
    os.chmod(key, 0o600)
    settings(f'cert = "{cert}"\nkey = "{key}"')
    return cert, key


def look(home, *, says=None, openssl=True):
    run = run_program if says is None else lambda *argv: ProgramResult(says(argv[-1]), "")
    found = web.server(CheckContext({}, home, run, lambda name: f"/bin/{name}" if openssl else None, sys.platform))
    return None if found is None else (found.status, found.found)


def test_who_has_asked_for_no_web_server_is_told_nothing_of_it(home, settings):
    assert look(home) is None
    settings("port = 7600")
    assert look(home) is None


def test_one_that_is_configured_says_where_it_will_be(home, settings):
    settings("port = 8000")
    assert look(home) == ("ok", "not running; port 8000")
    settings('public_url = "https://box.example/om"')
    assert look(home) == ("ok", "not running; https://box.example/om")


def test_one_that_runs_says_where_it_is_whatever_is_wrong_with_the_file(home, settings):
    settings("prot = 1")
    lock = lock_web_server(home)
    assert lock is not None
    write_web_server(home, WebServer(os.getpid(), 1.0, "http://127.0.0.1:7600"))
    assert look(home) == ("ok", f"http://127.0.0.1:7600 (PID {os.getpid()})")
    write_web_server(home, WebServer(os.getpid(), 1.0, "http://localhost:7600", socket=home.web_socket))
    assert look(home) == ("ok", f"{home.web_socket} (PID {os.getpid()})")
    lock.release()
    assert look(home) is None


def test_a_certificate_that_fits_its_key_is_well_until_it_ends(home, files):
    assert look(home, says=lambda _: 0) == ("ok", "not running; port 7600")
    assert look(home, says=lambda seconds: int(seconds != "0"))[0] == "warn"
    assert look(home, says=lambda _: 1) == ("fail", f"{files[0]} has expired")
    assert look(home, says=lambda _: 1, openssl=False)[0] == "ok"
    assert look(home) == ("warn", f"{files[0]} expires within 14 days")


def test_a_key_of_another_certificate_a_key_with_a_password_and_no_certificate_at_all_fail(home, files, tmp_path):
    cert, key = files
    make_certificate(str(tmp_path / "other.pem"), key)
    assert look(home)[0] == "fail"
    with open(key, "w") as file:
        file.write("-----BEGIN ENCRYPTED PRIVATE KEY-----\n")
    assert look(home)[0] == "fail"
    os.unlink(cert)
    with pytest.raises(FileNotFoundError):  # what the table makes a failure of, with its name
        look(home)


def test_a_key_that_others_can_read_is_a_warning(home, files):
    os.chmod(files[1], 0o640)
    assert look(home, says=lambda _: 0) == ("warn", f"{files[1]} has mode 0640: others can read it")
