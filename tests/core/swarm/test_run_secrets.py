"""The secrets of a claim: opened from what is kept with it, and masked in all that is told of it."""

from __future__ import annotations

import base64
import stat
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from overmind_core.errors import OvermindError
from overmind_core.swarm.answers import Claimed
from overmind_core.swarm.run_secrets import RunSecrets, names_of
from overmind_core.swarm.sealing import seal
from overmind_core.swarm.store import HeldClaim
from overmind_core.swarm.vault import Vault
from overmind_core.system.paths import Home


@pytest.fixture
def home(tmp_path):
    """An empty home."""
    return Home(str(tmp_path))


def held(vault: Vault, **values: bytes) -> HeldClaim:
    """A claim with sealed copies for a vault's key."""
    claim = Claimed("p1", "run", "a", 1, msgspec.json.encode({"secrets": list(values)}).decode(), "", "wait", 600.0)
    key = vault.key().public
    sealed = {name: base64.b64encode(seal(key, name, value)).decode() for name, value in values.items()}
    return HeldClaim(claim, sealed=sealed)


def secrets_of(vault: Vault, *claims: HeldClaim) -> RunSecrets:
    """Those of a hive that holds these claims."""
    store: Any = SimpleNamespace(claims={one.claim.id: one for one in claims})
    return RunSecrets(vault, store)


def test_a_run_gets_the_values_and_bytes_that_are_no_text_as_they_are(home):
    vault = Vault(home)
    mine = held(vault, A="häßlich".encode(), B=b"\xff")
    assert names_of(mine) == ["A", "B"]
    assert secrets_of(vault, mine).variables(mine) == {"A": "häßlich", "B": "\U0010dcff"}


def test_texts_of_a_report_are_masked_and_what_others_go_by_is_not(home):
    vault = Vault(home)
    mine = held(vault, A=b"done", B=b"hunter2")
    question = {"key": "hunter2", "text": "use hunter2?", "choices": [{"label": "hunter2"}]}
    told = {"state": "done", "status": "done", "reason": "hunter2!", "result": {"a": ["x hunter2"], "n": 7},
            "questions": [question]}  # fmt: skip
    assert secrets_of(vault, mine).masked(mine, told) == {
        "state": "done", "status": "done", "reason": "***!", "result": {"a": ["x ***"], "n": 7},
        "questions": [{"key": "hunter2", "text": "use ***?", "choices": [{"label": "***"}]}],
    }  # fmt: skip


def test_what_can_not_be_masked_is_not_told(home):
    vault = Vault(home)
    mine = held(vault, A=b"hunter2")
    Path(home.hive_key).unlink()
    secrets = secrets_of(vault, mine)
    assert secrets.masked(mine, {"state": "failed", "reason": "hunter2", "exit_code": 1}) == {
        "state": "failed",
        "exit_code": 1,
    }
    assert secrets.hidden(mine) is None
    with pytest.raises(OvermindError, match="another key") as refused:
        secrets.variables(mine)
    assert refused.value.code == "no_secret"


def test_a_claim_that_is_told_has_no_secrets_any_more(home):
    vault = Vault(home)
    mine = held(vault, A=b"hunter2")
    over = msgspec.structs.replace(mine, sealed={})
    assert secrets_of(vault, over).variables(over) == {}


def test_a_vault_keeps_values_for_the_account_alone_and_forgets_them(home):
    vault = Vault(home)
    assert (vault.names(), vault.value("A"), vault.public_key(), vault.remove("A")) == ([], None, None, False)
    vault.put("B", b"\xff\n")
    vault.put("A", b"1")
    vault.put("A", b"2")
    assert (vault.names(), Vault(home).value("A"), vault.value("B")) == (["A", "B"], b"2", b"\xff\n")
    key = vault.key()
    assert (Vault(home).key(), vault.public_key()) == (key, key.public)
    assert key.private not in repr(key)
    for path in (home.vault, home.hive_key):
        assert stat.S_IMODE(Path(path).stat().st_mode) == 0o600
    assert vault.remove("A")
    assert vault.remove("B")
    assert not Path(home.vault).exists()


def test_a_damaged_vault_is_named_and_not_quoted(home):
    Path(home.vault).write_text('{"A": hunter2}')
    with pytest.raises(OvermindError, match=r"vault\.json is damaged") as refused:
        Vault(home).names()
    assert "hunter2" not in refused.value.message
