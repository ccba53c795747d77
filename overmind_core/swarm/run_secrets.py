"""The secrets of this hive's claims: fetched sealed, kept sealed with the claim, opened for its run alone.

The sealed copies are saved with the claim before its run is begun, so that each run of it, after a restart or under
the next daemon, has the same values, and whatever is told of it can be masked, whether or not the swarm answers. They
go when its end was told.
"""

from __future__ import annotations

import base64
import os
from typing import TYPE_CHECKING, Any

import msgspec

from overmind_core.domain.swarm.masks import masked
from overmind_core.domain.swarm.secrets import SecretError
from overmind_core.domain.text.bytestrings import to_wire
from overmind_core.errors import OvermindError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from overmind_core.swarm.line import SwarmLine
    from overmind_core.swarm.store import HeldClaim, SwarmStore
    from overmind_core.swarm.vault import Vault


def names_of(held: HeldClaim) -> list[str]:
    """Return the names of the secrets that a post asks for."""
    given = msgspec.json.decode(held.claim.definition).get("secrets") or []
    return [str(name) for name in given] if isinstance(given, list) else []


class RunSecrets:
    """Used from the loop's thread."""

    def __init__(self, vault: Vault, store: SwarmStore) -> None:
        self._vault = vault
        self._store = store
        self._opened: dict[tuple[str, int], dict[str, bytes]] = {}
        """Post and fence → the values, while the claim is here."""

    async def fetch(self, held: HeldClaim, line: SwarmLine) -> HeldClaim:
        """Return the claim with the sealed copies that its post names; they are saved.

        Raises:
            OvermindError: `no_secret`, one is not for this hive, or can't be opened here; `fenced`; `swarm_silent`.
        """
        names = names_of(held)
        if not names or set(names) <= set(held.sealed):
            return held
        session, claim = self._store.session, held.claim
        assert session is not None
        found = await line.ask(lambda swarm: swarm.my_secrets(session.id, claim.id, claim.fence))
        for name in names:
            if name not in found:
                raise OvermindError("no_secret", f"secret {name} is not for this hive")
        sealed = {name: base64.b64encode(found[name]).decode() for name in names}
        kept = msgspec.structs.replace(held, sealed=sealed)
        self.values(kept)
        now = self._store.claims.get(claim.id)
        if now is None or now.claim.fence != claim.fence:
            raise OvermindError("fenced", f"The claim of {claim.name} is over.")
        self._store.save_claim(kept)
        return kept

    def values(self, held: HeldClaim) -> dict[str, bytes]:
        """Return the values of a claim's secrets; of one whose end was told: none.

        Raises:
            OvermindError: `no_secret`, one can't be opened here.
        """
        if not held.sealed:
            return {}
        key = (held.claim.id, held.claim.fence)
        if key not in self._opened:
            from overmind_core.swarm import sealing  # noqa: PLC0415 - it loads PyNaCl, for claims with secrets

            live = {(one.claim.id, one.claim.fence) for one in self._store.claims.values()}
            self._opened = {one: values for one, values in self._opened.items() if one in live}
            private = bytes.fromhex(self._vault.key().private)
            try:
                self._opened[key] = {
                    name: sealing.open_sealed(private, name, base64.b64decode(sealed))
                    for name, sealed in held.sealed.items()
                }
            except SecretError as error:
                raise OvermindError("no_secret", f"{error}. Grant it again: overmind vault grant") from None
        return self._opened[key]

    def variables(self, held: HeldClaim) -> dict[str, str]:
        """Return the same as a run gets it, in wire form."""
        return {name: to_wire(os.fsdecode(value)) for name, value in self.values(held).items()}

    def hidden(self, held: HeldClaim) -> tuple[bytes, ...] | None:
        """Return what is masked in all that is told of a claim; None: it can't be known, so no text of it is told."""
        try:
            return tuple(self.values(held).values())
        except OvermindError:
            return None

    def masked(self, held: HeldClaim, report: dict[str, Any]) -> dict[str, Any]:
        """Return a report or an end without any of the values in its texts."""
        values = self.hidden(held)
        if values is None:
            return {name: one for name, one in report.items() if name not in _TEXTS}
        return {name: _masked(one, values) if name in _TEXTS else one for name, one in report.items()}


_TEXTS = frozenset({"reason", "result", "questions"})
"""Of a report or an end: what its run may have had a part in. Its tail is masked before it is encoded."""
_KEY = "key"
"""Of a question: by it an answer finds it again."""


def _masked(value: Any, values: Sequence[bytes]) -> Any:  # noqa: ANN401 - whatever JSON holds
    if isinstance(value, str):
        return masked(value.encode("utf-8", "replace"), values).decode("utf-8", "replace") if values else value
    if isinstance(value, dict):
        return {name: one if name == _KEY else _masked(one, values) for name, one in value.items()}
    return [_masked(one, values) for one in value] if isinstance(value, list | tuple) else value
