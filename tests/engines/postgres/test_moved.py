"""A server that is lost, and begins anew elsewhere from a backup: its clients go on as if nothing had happened."""

from __future__ import annotations

import asyncio

import pytest

from overmind_core.cli.context import Context
from overmind_core.cli.main import guarded
from overmind_core.memory import requests
from tests.engines.postgres.conftest import empty_database
from tests.engines.postgres.test_sync import machine, stored
from tests.kit import cortex


def cortex_command(capsys, url, *words):
    """Run a command of the server's, as on its machine."""
    status = guarded(["cortex", *words, "--db", "env:CORTEX_DB"], Context({"CORTEX_DB": url, "PATH": "/usr/bin:/bin"}))
    printed = capsys.readouterr()
    assert (status, printed.err) == (0, "")
    return printed.out


@pytest.mark.parametrize("is_empty", [False, True], ids=["migrated", "empty"])
def test_clients_go_on_with_a_new_server_that_was_made_from_a_backup(database_url, capsys, tmp_path, is_empty):
    backup = str(tmp_path / "cortex.dump")

    async def go():
        async with (
            machine(tmp_path / "a", every=3600) as ada,
            machine(tmp_path / "b", every=3600) as eve,
            machine(tmp_path / "c", every=3600) as new,
        ):
            both = (ada, eve)

            async def synced(*ones):
                for one in (*ones, *ones, *ones):
                    await one.memory.memory_sync()

            with cortex.running(database_url) as server:
                port = server.port
                tokens = {name: server.token(name) for name in ("ada", "eve", "new")}
                for one, name in zip(both, tokens, strict=False):
                    await one.connect(server, tokens[name])
                    await one.share()
                kept = await ada.remember("kept and edited later")
                purged = await ada.remember("planted to be purged later")
                forgotten = await eve.remember("to be forgotten later")
                await synced(*both)
                await asyncio.to_thread(cortex_command, capsys, database_url, "backup", backup)
                await ada.remember("written after the backup by ada")
                await eve.remember("written after the backup by eve")
                edit = requests.NoteSet(note=kept, change="edit", text="edited after the backup", cwd=eve.shop)
                await eve.memory.note_set(edit, None)
                await ada.memory.forget(requests.Forget(notes=[forgotten], cwd=ada.shop), None)
                await ada.memory.forget(requests.Forget(notes=[purged], purge=True, cwd=ada.shop), None)
                await eve.memory.outcome(requests.Outcome(notes=[kept], helped=True, cwd=eve.shop), None)
                await synced(*both)
                await ada.remember("never sent to the old server")
            with empty_database() as other:
                if not is_empty:
                    await asyncio.to_thread(cortex_command, capsys, other, "migrate")
                restored = await asyncio.to_thread(cortex_command, capsys, other, "restore", backup)
                assert restored.startswith(f"Restored from {backup} (schema ")
                with cortex.running(other, port=port) as server:
                    assert "planted" in stored(server, tokens["ada"]), "the backup has it still"
                    await synced(*both)
                    assert "planted" not in stored(server, tokens["ada"])
                    await new.connect(server, tokens["new"])
                    await new.share()
                    await synced(*both, new)
                    wanted = {
                        "edited after the backup": "live",
                        "written after the backup by ada": "live",
                        "written after the backup by eve": "live",
                        "never sent to the old server": "live",
                    }
                    for one in (*both, new):
                        assert await one.texts() == wanted
                        note = await one.memory.note(requests.Note(note=kept, cwd=one.shop), None)
                        assert (note["helped"], note["conflicts"]) == (1, [])
                        gone = await one.memory.note(requests.Note(note=purged, cwd=one.shop), None)
                        assert (gone["state"], gone["text"]) == ("purged", "")
                        old = await one.memory.note(requests.Note(note=forgotten, cwd=one.shop), None)
                        assert old["state"] == "forgotten"
                        assert await one.memory.memory_sync() == {"sent": 0, "received": 0, "conflicts": 0}
                        state = await one.memory.memory(requests.Memory(cwd=one.shop), None)
                        assert state["cortex"] is not None
                        assert (state["cortex"]["to_send"], state["cortex"]["error"]) == (0, None)

    asyncio.run(go())
