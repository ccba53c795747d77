"""The commands of a team's server."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import ssl
import stat
import subprocess
import sys

import pytest

from overmind_core.cli.context import Context
from overmind_core.cli.main import guarded
from overmind_core.domain.memory.entries import to_wire
from overmind_core.errors import OvermindError
from overmind_core.memory.cortex_client import CortexClient
from tests.engines.postgres.test_cortex import version
from tests.kit import cortex


@pytest.fixture
def run(database_url, capsys, tmp_path):
    """Run a command with the database in a variable; return status, standard output and error."""

    def call(*words, db="env:CORTEX_DB"):
        environ = {"CORTEX_DB": database_url, "OVERMIND_HOME": str(tmp_path / "home"), "PATH": os.environ["PATH"]}
        status = guarded(["cortex", *words, "--db", db], Context(environ))
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return call


def test_tokens_are_made_listed_and_revoked(run):
    assert run("token", "list") == (0, "", "")
    assert run("token", "list", "--json") == (0, "[]\n", "")
    status, made, _ = run("token", "new", "ada", "--role", "write", "--colony", "shop", "--expires", "90d")
    assert status == 0
    assert re.fullmatch(r"[\w-]{43}\n", made)
    status, made, _ = run("token", "new", "eve", "--role", "read", "--colony", "shop", "--json")
    assert json.loads(made).keys() == {"name", "role", "colony", "expires_at", "token"}
    listed = run("token", "list")[1].splitlines()
    assert listed[0].split() == ["NAME", "ROLE", "COLONY", "EXPIRES", "USED"]
    assert [line.split()[:3] for line in listed[1:]] == [["ada", "write", "shop"], ["eve", "read", "shop"]]
    assert "name_taken" in run("token", "new", "ada", "--role", "read", "--colony", "shop")[2]
    assert run("token", "revoke", "ada") == (0, "Revoked ada\n", "")
    assert run("token", "revoke", "ada")[0] == 1
    assert run("migrate") == (0, "Schema 1\n", "")


@pytest.mark.parametrize(
    ("words", "db"),
    [
        (["migrate"], "postgresql://ada:hunter22@127.0.0.1:1/x"),
        (["migrate"], "postgresql://127.0.0.1:1/x?password=hunter22"),
        (["migrate"], "host=x password=hunter22"),
        (["migrate"], "env:MISSING"),
        (["migrate"], "file:/missing"),
        (["serve", "--listen", "0.0.0.0:7337"], "env:CORTEX_DB"),
        (["serve", "--cert", "x"], "env:CORTEX_DB"),
        (["token", "new", "ada"], "env:CORTEX_DB"),
        (["token", "new", "a b", "--role", "read", "--colony", "x"], "env:CORTEX_DB"),
        (["token", "list", "ada"], "env:CORTEX_DB"),
    ],
    ids=str,
)
def test_what_makes_no_sense_or_would_show_a_password_is_refused(run, words, db):
    status, out, err = run(*words, db=db)
    assert (status, out) == (2, "")
    assert "hunter22" not in err


def test_a_database_that_does_not_answer_is_said_without_its_password(run, tmp_path):
    (tmp_path / "db").write_text("postgresql://ada:hunter22@127.0.0.1:1/x\n")
    status, _, err = run("migrate", db=f"file:{tmp_path}/db")
    assert status == 1
    assert err.startswith("Error: cortex_unreachable: PostgreSQL: ")
    assert "hunter22" not in err


def test_a_backup_is_private_and_brings_back_what_was_there(run, database_url, tmp_path):
    file = tmp_path / "cortex.dump"
    with cortex.running(database_url) as server:
        token = server.token("ada")
        first, second = to_wire(version("first")), to_wire(version("second"))
        server.push(token, [first])
        place = server.pull(token)[1]
        assert run("backup", str(file)) == (0, f"Backed up to {file}\n", "")
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        server.push(token, [second])
        later = server.pull(token)[1]
        assert run("restore", str(file)) == (0, f"Restored from {file} (schema 1)\n", "")
        assert server.pull(token)[1] == place
        assert server.pull(token, later["next"], later["chain"])[0] == 409
        assert server.push(token, [first, second])[1] == {"seq": 2, "taken": 1, "known": 1}
        assert server.ask(token, "/v1/search", {"question": "second"})[1]["notes"] != []
    status, _, err = run("restore", str(tmp_path / "missing"))
    assert (status, err) == (1, f"Error: invalid: {tmp_path / 'missing'}: No such file or directory.\n")


def test_it_serves_https_until_it_is_told_to_end_and_shows_its_token_nowhere(run, database_url, tmp_path):
    token = run("token", "new", "ada", "--role", "write", "--colony", "shop")[1].strip()
    cert, key = str(tmp_path / "cert.pem"), str(tmp_path / "key.pem")
    cortex.make_certificate(cert, key)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [sys.executable, "-m", "overmind_core.cli", "cortex", "serve", "--db", "env:CORTEX_DB"]
    words += ["--listen", f"localhost:{port}", "--cert", cert, "--key", key]
    environ = {**os.environ, "CORTEX_DB": database_url, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(words, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as serving:
        assert serving.stdout is not None
        first = serving.stdout.readline()
        assert re.fullmatch(
            rf"Listening on https://localhost:{port} \(schema 1, (pgvector [\d.]+|words only)\)\n", first
        )
        trusted = ssl.create_default_context(cafile=cert)
        for given, status in ((token, 200), ("wrong", 401)):
            connection = http.client.HTTPSConnection("localhost", port, context=trusted, timeout=20)
            connection.request("GET", "/v1/hello", headers={"Authorization": f"Bearer {given}"})
            assert connection.getresponse().status == status
            connection.close()
        with pytest.raises(OvermindError, match=r"certificate that is not trusted here: .* Give its CA with --ca"):
            CortexClient(f"https://localhost:{port}", token).hello()
        with pytest.raises(OvermindError, match="localhost closed the connection"):
            CortexClient(f"http://localhost:{port}", token).hello()
        with open(cert, encoding="ascii") as authority:
            assert CortexClient(f"https://localhost:{port}", token, ca=authority.read()).hello().colony == "shop"
        serving.send_signal(signal.SIGTERM)
        out, err = serving.communicate(timeout=20)
    assert token not in first + out + err
    assert (out, err) == ("", "")
