"""The supervisor is killed while it exchanges notes with a Cortex: in the end both have each of them, once."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from random import Random

import pytest

from overmind_core.domain.memory.entries import to_wire
from overmind_core.domain.memory.notes import Author, Origin, purge_id
from overmind_core.domain.memory.versions import purge
from tests.engines.postgres.test_cortex import version
from tests.kit import cortex, torture
from tests.kit.killing import await_another, kill
from tests.kit.raw_socket import RawSocket

pytestmark = [pytest.mark.torture, pytest.mark.timeout(600 if torture.WHOLE else 120)]
ROUNDS = 50 if torture.WHOLE else 4
EACH = 60
"""Notes that each side writes between two exchanges."""


def test_all_notes_arrive_once_whenever_the_supervisor_is_killed(om, database_url, tmp_path):
    random: Random = torture.seeded_random()
    om.mission("sleep 600")  # a keeper that has nothing to keep starts nobody
    with cortex.running(database_url) as server:
        ada, eve = server.token("ada"), server.token("eve")
        url = f"http://127.0.0.1:{server.port}"
        connected = om.ok("memory", "connect", url, "--token-file", "-", stdin=f"{ada}\n")
        assert connected == f"Connected to 127.0.0.1:{server.port} (colony shop, write). Shares: colony\n"
        texts: dict[str, str] = {}
        gone: set[str] = set()
        foreign = []
        seconds = 0.0
        for round_ in range(ROUNDS + 1):
            with RawSocket.connect(om.home) as api:
                for number in range(EACH):
                    text = f"zyzzyva{round_}x{number} of ada"
                    texts[api.ok("remember", text=text, scope="colony", cwd=str(tmp_path))["id"]] = text
                if gone_now := random.sample(sorted(texts), 1 if round_ else 0):
                    api.ok("forget", notes=gone_now, purge=True, cwd=str(tmp_path))
            foreign = [version(f"zyzzyva{round_}x{number} of eve", author="eve") for number in range(EACH)]
            before = random.choice(foreign)
            sent = [*map(to_wire, foreign), to_wire(purge(before.note, [before], Author("eve"), Origin.COMMAND, 1.0))]
            assert server.push(eve, sent)[0] == 200
            texts |= {one.note: one.content.text for one in foreign}
            gone |= {*gone_now, before.note}
            for note in (*gone_now, before.note):
                texts.pop(note)
            begun = time.monotonic()
            if not round_:  # how long it takes in peace
                om.api("memory_sync")
                seconds = time.monotonic() - begun
                continue
            old = om.supervisor_pid()
            with RawSocket.connect(om.home) as api:
                api.send("memory_sync")
                time.sleep(random.uniform(0, 1.2 * seconds))
                kill(old)
                with contextlib.suppress(EOFError, ConnectionResetError):
                    assert "ok" in api.read_line()
            await_another(om, old)
        om.ok("memory", "sync")
        there = server.pull_all(eve)["versions"]
        assert len({one["id"] for one in there}) == len(there)
        assert {one["note"]: one["content"]["text"] for one in there if one["content"]} == texts
        ids = {one["id"] for one in there}
        assert {purge_id(one["note"]) for one in there if one["note"] in gone} <= ids
        with contextlib.closing(sqlite3.connect(om.path("memory.db"))) as held:
            assert dict(held.execute("SELECT id, text FROM notes WHERE state = 'live'")) == texts
            assert held.execute("SELECT count(*) FROM notes WHERE text <> ''").fetchone() == (len(texts),)
        assert om.json("memory", "--json")["cortex"]["to_send"] == 0
