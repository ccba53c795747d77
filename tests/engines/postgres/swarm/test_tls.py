"""A swarm whose server is reached by TLS alone: whose certificate is believed, and what is said where it is not."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import psycopg
import pytest

from tests.kit.containers import free_port
from tests.kit.postgres_server import PostgresServer, servers
from tests.kit.swarm_homes import SwarmHomes

EACH = "hostssl all postgres 127.0.0.1/32 trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n"


def authority(folder: Path, name: str) -> Path:
    """Make one that signs; return its certificate."""
    made = folder / f"{name}.crt"
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}",
            "-keyout", str(folder / f"{name}.key"), "-out", str(made))  # fmt: skip
    return made


def openssl(*words: str) -> None:
    subprocess.run(["openssl", *words], check=True, capture_output=True, timeout=60)


def serve_tls(server: PostgresServer, signer: Path, folder: Path) -> int:
    """Have a server show a certificate for `localhost`, and take nobody without TLS; return its port."""
    key, request, shown = folder / "server.key", folder / "server.csr", folder / "server.crt"
    names = folder / "names"
    names.write_text("subjectAltName=DNS:localhost")
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-keyout", str(key), "-out", str(request))
    openssl("x509", "-req", "-days", "2", "-in", str(request), "-CA", str(signer), "-CAkey",
            str(signer.with_suffix(".key")), "-CAcreateserial", "-extfile", str(names), "-out", str(shown))  # fmt: skip
    for one in (key, shown):
        placed = shutil.copy(one, server.data)
        os.chmod(placed, 0o600)
        if os.geteuid() == 0:
            shutil.chown(placed, "postgres", "postgres")
    port = free_port()
    server.configure(f"port = {port}", "listen_addresses = '127.0.0.1'", "ssl = on", "ssl_cert_file = 'server.crt'",
                     "ssl_key_file = 'server.key'")  # fmt: skip
    Path(server.data, "pg_hba.conf").write_text(EACH)
    return port


@pytest.fixture
def signer(tmp_path):
    return authority(tmp_path, "signer")


@pytest.fixture
def address(signer, tmp_path):
    """Where a server answers by TLS alone."""
    with servers() as machines:
        server = machines.empty()
        server.make()
        port = serve_tls(server, signer, tmp_path)
        server.start()
        yield f"postgresql://postgres@localhost:{port}/postgres?sslmode=verify-full"


def test_hives_reach_a_server_whose_certificate_is_checked(address, signer, make_home):
    homes = SwarmHomes(f"{address}&sslrootcert={signer}", make_home)
    home = homes.hive("a")
    said = homes.desk("swarm", "invite", homes.name("b")).stderr
    assert f"That machine needs this file, too: {signer}." in said
    homes.desk.ok("run", "--on", "any", "--name", "hello", "true")
    assert homes.wait_state("hello", "done")["hive"] == homes.name("a")
    query = "select bool_and(ssl) from pg_stat_ssl join pg_stat_activity using (pid) where usename = %s"
    with psycopg.connect(f"{address}&sslrootcert={signer}") as looking:
        assert looking.execute(query, (homes.name("a"),)).fetchone() == (True,)
    assert home.json("swarm", "status", "--json")["silence"] == ""


def test_a_server_that_could_be_another_one_is_not_believed(address, signer, make_home, tmp_path):
    home = make_home()
    home.ok("start")
    other = authority(tmp_path, "other")
    hint = "sslrootcert=FILE, or sslrootcert=system where this machine trusts them"
    said = home.refused("swarm", "init", f"{address}&sslrootcert={other}", code="swarm_silent")
    assert ("certificate verify failed" in said, hint in said, "expired" in said) == (True, True, True)
    said = home.refused("swarm", "init", f"{address}&sslrootcert={tmp_path}/nosuch.crt", code="swarm_silent")
    assert ("nosuch.crt" in said, hint in said) == (True, True)
    by_number = address.replace("localhost", "127.0.0.1")
    said = home.refused("swarm", "init", f"{by_number}&sslrootcert={signer}", code="swarm_silent")
    assert "does not match host name" in said
    assert not Path(home.home, "swarm-owner.url").exists()
    home.ok("swarm", "init", f"{address}&sslrootcert={signer}")
