"""Homes that share notes through a Cortex: what leaves them, what comes, and what happens when it does not answer."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import subprocess
from contextlib import asynccontextmanager

import pytest

from overmind_core.cortex import database
from overmind_core.domain.settings import CortexSettings, MemorySettings
from overmind_core.errors import OvermindError
from overmind_core.memory import requests
from overmind_core.memory.events import CortexChanged
from tests.kit.lossy_proxy import lossy
from tests.kit.memory import noted_home
from tests.kit.planted_secrets import tokens
from tests.kit.torture import seeded_random, some

SHOP = "https://example.org/team/shop.git"
SECRET = "https://example.org/me/secret.git"


@pytest.fixture
def token(server, request):
    return server.token(f"t{abs(hash(request.node.name))}", colony=f"c{abs(hash(request.node.name))}")


class Machine:
    """A home, and a checkout of each of two repositories."""

    def __init__(self, noted, root):
        self.noted = noted
        self.memory = noted.memory
        self.shop, self.secret = (str(root / name) for name in ("shop", "secret"))

    async def connect(self, server, token):
        return await self.memory.memory_connect(
            requests.MemoryConnect(url=f"http://127.0.0.1:{server.port}", token=token)
        )

    async def share(self):
        return await self.memory.memory_share(requests.MemoryShare(cwd=self.shop))

    async def remember(self, text, **more):
        request = requests.Remember(text=text, cwd=more.pop("cwd", self.shop), **more)
        return (await self.memory.remember(request, None))["id"]

    async def texts(self, cwd=None):
        found = await self.memory.notes(requests.Notes(cwd=cwd or self.shop), None)
        return {one["text"]: one["state"] for one in found["notes"]}


def clone(folder, url):
    folder.mkdir()
    for words in (["init", "-q"], ["remote", "add", "origin", url]):
        subprocess.run(["git", *words], cwd=folder, check=True)


def set_remote(folder, *words):
    subprocess.run(["git", "remote", *words], cwd=folder, check=True)


def has_token_file(noted):
    return os.path.exists(noted.home.cortex_token)


@asynccontextmanager
async def machine(root, **settings):
    root.mkdir()
    for name, url in (("shop", SHOP), ("secret", SECRET)):
        clone(root / name, url)
    (root / "home").mkdir()
    async with noted_home(root / "home", settings=MemorySettings(), cortex=CortexSettings(**settings)) as noted:
        yield Machine(noted, root)


def stored(server, token):
    return json.dumps(server.pull(token)[1])


def test_only_what_is_shared_leaves_and_all_of_it_arrives(server, token, tmp_path):
    async def go():
        async with machine(tmp_path / "a", every=3600) as ada, machine(tmp_path / "b", every=3600) as eve:
            await ada.remember("planted before it was shared")
            await ada.remember("planted of another repository", cwd=ada.secret)
            await ada.remember("planted for me alone", scope="global")
            mission = ada.noted.missions.add("worker", ada.shop)
            proposed = requests.Remember(text="planted proposal", scope="colony", cwd=ada.shop)
            assert (await ada.memory.remember(proposed, mission))["state"] == "proposed"
            connected = (await ada.connect(server, token))["cortex"]
            assert (connected["role"], connected["shares"], connected["to_send"]) == ("write", [], 0)
            assert await ada.memory.memory_sync() == {"sent": 0, "received": 0, "conflicts": 0}
            assert "planted" not in stored(server, token)
            assert (await ada.share())["notes"] == 1
            note = await ada.remember("planted after it was shared")
            everybody = await ada.remember("for all of the colony", scope="colony")
            await ada.memory.memory_sync()
            sent = stored(server, token)
            assert len(server.pull(token)[1]["versions"]) == 3
            for word in ("another repository", "me alone", "proposal", "secret"):
                assert word not in sent
            await eve.connect(server, token)
            await eve.memory.memory_sync()
            assert set(await eve.texts()) == {
                "planted before it was shared", "planted after it was shared", "for all of the colony",
            }  # fmt: skip
            # a vote, an edit on both sides at once, and a purge
            await eve.memory.outcome(requests.Outcome(notes=[note], helped=True, cwd=eve.shop), None)
            for one, text in ((ada, "said by ada"), (eve, "said by eve")):
                edit = requests.NoteSet(note=everybody, change="edit", text=text, cwd=one.shop)
                await one.memory.note_set(edit, None)
            await eve.share()
            for one in (eve, ada, eve):
                await one.memory.memory_sync()
            shown = [await one.memory.note(requests.Note(note=everybody, cwd=one.shop), None) for one in (ada, eve)]
            assert shown[0]["text"] == shown[1]["text"]
            assert len(shown[0]["conflicts"]) == len(shown[1]["conflicts"]) == 1
            assert (await ada.memory.note(requests.Note(note=note, cwd=ada.shop), None))["helped"] == 1
            await eve.memory.forget(requests.Forget(notes=[note], purge=True, cwd=eve.shop), None)
            for one in (eve, ada):
                await one.memory.memory_sync()
            assert "planted after" not in stored(server, token)
            for one in (ada, eve):
                assert "planted after it was shared" not in await one.texts()
                for name in ("memory.db", "memory.db-wal"):
                    held = tmp_path / ("a" if one is ada else "b") / "home" / name
                    assert b"planted after" not in (held.read_bytes() if held.exists() else b"")

    asyncio.run(go())


def test_what_others_write_may_wait_for_a_person_and_goes_back_to_a_server_that_lost_it(server, token, tmp_path):
    async def go():
        async with (
            machine(tmp_path / "a", every=3600) as ada,
            machine(tmp_path / "b", every=3600, incoming="propose") as eve,
        ):
            for one in (ada, eve):
                await one.connect(server, token if one is ada else other)
                await one.share()
            note = await ada.remember("from ada")
            await eve.remember("from eve")
            for one in (ada, eve, ada):
                await one.memory.memory_sync()
            assert await eve.texts() == {"from ada": "proposed", "from eve": "live"}
            assert await ada.texts() == {"from ada": "live", "from eve": "live"}
            with database.connect(server.conninfo) as connection:  # as one that was restored from an empty backup
                connection.execute("delete from entry where colony = %s", [colony])
                connection.execute("update colony set seq = 0 where name = %s", [colony])
            await eve.memory.memory_sync()
            assert len(server.pull(token)[1]["versions"]) == 2
            assert '"standing": "proposed"' not in stored(server, token)
            await eve.memory.note_set(requests.NoteSet(note=note, change="accept", cwd=eve.shop), None)
            for one in (eve, ada):
                await one.memory.memory_sync()
            assert await eve.texts() == await ada.texts() == {"from ada": "live", "from eve": "live"}

    colony = server.ask(token, "/v1/hello")[1]["colony"]
    other = server.token(f"{colony}-eve", colony=colony)
    asyncio.run(go())


def test_a_repository_can_be_shared_as_soon_as_it_has_a_remote(server, token, tmp_path):
    async def go():
        async with machine(tmp_path / "a", every=3600) as ada:
            await ada.connect(server, token)
            set_remote(ada.secret, "remove", "origin")
            await ada.remember("of a clone without a remote", cwd=ada.secret)
            share = requests.MemoryShare(cwd=ada.secret)
            with pytest.raises(OvermindError, match="has no remote"):
                await ada.memory.memory_share(share)
            set_remote(ada.secret, "add", "origin", SECRET)
            shared = await ada.memory.memory_share(share)
            assert (shared["repository"], shared["notes"]) == ("example.org/me/secret", 1)

    asyncio.run(go())


def test_the_token_is_in_a_private_file_alone_and_a_fault_is_told_once(server, token, tmp_path):
    async def go():
        async with machine(tmp_path / "a", every=3600) as ada:
            with pytest.raises(OvermindError) as refused:
                await ada.connect(server, "wrong")
            assert refused.value.code == "token_refused"
            assert not has_token_file(ada.noted)
            connected = await ada.connect(server, token)
            mode = os.stat(ada.noted.home.cortex_token).st_mode
            assert stat.S_IMODE(mode) == 0o600
            assert token not in json.dumps(connected)
            name = server.ask(token, "/v1/hello")[1]["name"]
            server.revoke(name)
            for _ in range(3):
                with pytest.raises(OvermindError):
                    await ada.memory.memory_sync()
            state = await ada.memory.memory(requests.Memory(cwd=ada.shop), None)
            assert "refused" in state["cortex"]["error"] or "revoked" in state["cortex"]["error"]
            changes = [one.change for one in ada.noted.events.recorded if isinstance(one, CortexChanged)]
            assert changes == ["connected", "refused"]
            assert (await ada.memory.memory_connect(requests.MemoryConnect()))["cortex"] is None
            assert not has_token_file(ada.noted)
            with pytest.raises(OvermindError, match="There is no Cortex"):
                await ada.memory.memory_sync()
            for url in ("http://example.org", "ftp://x", "https://a:b@x", "https://x:99999", "x"):
                with pytest.raises(OvermindError):
                    await ada.memory.memory_connect(requests.MemoryConnect(url=url, token=token))
            for held in (tmp_path / "a" / "home").rglob("*"):
                assert not held.is_file() or token.encode() not in held.read_bytes()

    asyncio.run(go())


def test_a_change_goes_out_by_itself_and_a_search_may_ask_the_cortex(server, token, tmp_path):
    async def go():
        async with machine(tmp_path / "a", every=3600) as ada:
            await ada.connect(server, token)
            await ada.share()
            synced = asyncio.Event()

            def hear(event):
                if isinstance(event, CortexChanged):
                    synced.set()

            ada.noted.events.on_record = hear
            note = await ada.remember("The heron eats at noon")
            await asyncio.wait_for(synced.wait(), 20)
            await ada.memory.memory_share(requests.MemoryShare(cwd=ada.secret))
            secret = await ada.remember("The heron eats in secret", cwd=ada.secret)
            everybody = await ada.remember("The heron is of all", scope="colony")
            await ada.memory.memory_sync()
            for folder, notes in ((ada.shop, {note}), (ada.secret, {secret}), (str(tmp_path), set()), (None, set())):
                request = requests.Recall(questions=["herons?"], remote=True, cwd=folder)
                found = (await ada.memory.recall(request, None))["notes"]
                assert {one["note"]["id"] for one in found} == {*notes, everybody}, folder

    asyncio.run(go())


def test_a_token_of_each_known_format_is_neither_on_the_wire_nor_in_a_dump_of_the_server(server, token, tmp_path):
    planted, heard = list(tokens(seeded_random())), bytearray()

    async def go(port):
        async with machine(tmp_path / "a", every=3600) as ada:
            worker = ada.noted.missions.add(planted[0].whole, ada.shop)
            await ada.memory.memory_connect(requests.MemoryConnect(url=f"http://127.0.0.1:{port}", token=token))
            await ada.share()
            for number, one in enumerate(planted):
                secret = one.whole
                written = requests.Remember(
                    text=f"{number} is {secret}", tags=[one.tag], files=[f"a/{secret}"], cwd=ada.shop
                )
                note = (await ada.memory.remember(written, None if number else worker))["id"]
                edit = requests.NoteSet(note=note, change="edit", text=f"{number} was {secret}", cwd=ada.shop)
                await ada.memory.note_set(edit, None)
                vote = requests.Outcome(notes=[note], helped=True, why=secret, cwd=ada.shop)
                await ada.memory.outcome(vote, None)
            await ada.memory.memory_sync()  # some has been sent by itself
            for one in some(planted):
                asked = requests.Recall(questions=[f"why {one.whole}?"], tag=one.whole, cwd=ada.shop, remote=True)
                await ada.memory.recall(asked, None)

    with lossy(server.port, heard=heard) as port:
        asyncio.run(go(port))
    arrived = server.pull_all(token)
    assert (len(arrived["versions"]), len(arrived["votes"])) == (2 * len(planted), len(planted))
    dumped = subprocess.run(["pg_dump", f"--dbname={server.conninfo}"], capture_output=True, check=True).stdout
    for held in (bytes(heard), dumped):
        assert b"[redacted: github token]" in held
        assert [one for one in planted if one.rest.encode() in held] == []
