"""`vault_set`, `vault_list`, `vault_remove`, `vault_grant`: secrets that runs of a swarm get. No answer has a value."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.domain.swarm.secrets import (
    LARGEST,
    NAME_RULE,
    SecretError,
    check_secret,
    fingerprint,
    is_secret_name,
)
from overmind_core.domain.text.bytestrings import from_wire
from overmind_core.errors import OvermindError
from overmind_core.kernel.request import handles
from overmind_core.missions.requests import Nothing
from overmind_core.swarm import requests

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from overmind_core.kernel.request import Caller
    from overmind_core.swarm import answer_types as answers
    from overmind_core.swarm.answers import Secret
    from overmind_core.swarm.database import Swarm
    from overmind_core.swarm.host import SwarmHost

_MAY = frozenset({"operator", "owner"})


class VaultApi:
    """All requests about secrets."""

    def __init__(self, host: SwarmHost) -> None:
        self._host = host

    @handles(requests.VaultSet)
    async def vault_set(self, request: requests.VaultSet, caller: Caller) -> answers.VaultPut:
        """Keep a secret here, and seal it for all hives that have these labels, and for no other."""
        del caller
        value = os.fsencode(from_wire(request.value))
        try:
            check_secret(request.name, value)
        except SecretError as error:
            code = "too_large" if len(value) > LARGEST else "invalid"
            raise OvermindError(code, str(error)) from None
        line = self._host.line()
        hives, copies = await line.ask(_looked)
        fitting = [one for one in hives if request.on.items() <= one.labels.items()]
        sealed = {one.name: _sealed(one.key, request.name, value) for one in fitting if one.key is not None}

        def put(swarm: Swarm) -> None:
            for hive, copy in sealed.items():
                swarm.put_secret(request.name, hive, copy)
            for one in copies:
                if one.name == request.name and one.hive not in sealed:
                    swarm.drop_secret(one.name, one.hive)  # it would be of the value before

        await line.ask(put)
        self._host.vault.put(request.name, value)
        return {
            "name": request.name,
            "hives": [{"name": one.name, "fingerprint": fingerprint(one.key)} for one in fitting if one.key],
            "without_key": [one.name for one in fitting if one.key is None],
        }

    @handles(Nothing)
    async def vault_list(self, request: Nothing, caller: Caller) -> list[answers.VaultRow]:
        """The secrets that there are, for which hives, and which are kept here."""
        del request, caller
        copies = await self._host.line().ask(lambda swarm: swarm.secrets())
        here = set(self._host.vault.names())
        rows: list[answers.VaultRow] = []
        for name in sorted({one.name for one in copies} | here):
            mine = [one for one in copies if one.name == name]
            by = sorted({one.put_by for one in mine})
            rows.append({"name": name, "hives": [one.hive for one in mine], "put_by": by, "here": name in here})
        return rows

    @handles(requests.VaultSecret)
    async def vault_remove(self, request: requests.VaultSecret, caller: Caller) -> answers.VaultRemoved:
        """Forget a secret here, and remove its copies; runs that have begun with it keep it."""
        del caller
        name = _checked(request.name)
        await self._host.line().ask(_check_role)
        count = await self._host.line().ask(lambda swarm: swarm.drop_secret(name))
        if not self._host.vault.remove(name) and not count:
            raise _unknown(name)
        return {"name": name, "hives": count}

    @handles(requests.VaultGrant)
    async def vault_grant(self, request: requests.VaultGrant, caller: Caller) -> answers.VaultGranted:
        """Seal a secret that is kept here for one more hive."""
        del caller
        name = _checked(request.name)
        line = self._host.line()
        hives, copies = await line.ask(_looked)
        others = [one.hive for one in copies if one.name == name]
        value = self._host.vault.value(name)
        if value is None and others:
            by = ", ".join(sorted({one.put_by for one in copies if one.name == name}))
            raise OvermindError("no_secret", f"The value of {name} is not kept in this home: {by} can grant it.")
        if value is None:
            raise _unknown(name)
        hive = next((one for one in hives if one.name == request.hive), None)
        if hive is None:
            message = f"There is no hive or pool {request.hive!r} in the swarm. See them with: overmind swarm status"
            raise OvermindError("hive_unknown", message)
        if hive.key is None:
            message = f"Hive {hive.name} has no key. On that machine, leave the swarm and join it anew."
            raise OvermindError("invalid", message)
        copy = _sealed(hive.key, name, value)
        await line.ask(lambda swarm: swarm.put_secret(name, request.hive, copy))
        has = sorted({*others, hive.name})
        return {"name": name, "hive": hive.name, "fingerprint": fingerprint(hive.key), "hives": has}


def check_known(names: Iterable[str], copies: Sequence[Secret]) -> None:
    """Refuse to post what names a secret that no hive has.

    Raises:
        OvermindError: `no_secret`, `invalid`.
    """
    known = {one.name for one in copies}
    for name in names:
        if _checked(name) not in known:
            raise OvermindError("no_secret", f"Secret {name} is for no hive. Set it with: overmind vault set {name}")


class _Target(NamedTuple):
    """What can have a copy of a secret: a hive, or a pool for all its instances."""

    name: str
    key: str | None
    labels: Mapping[str, str]


def _looked(swarm: Swarm) -> tuple[list[_Target], list[Secret]]:
    _check_role(swarm)
    pools = swarm.pools()
    names = {one.name for one in pools}
    hives = [_Target(one.name, one.key, one.labels) for one in swarm.hives() if one.login not in names]
    return [*hives, *(_Target(one.name, one.key, one.progress.get("labels") or {}) for one in pools)], swarm.secrets()


def _check_role(swarm: Swarm) -> None:
    hello = swarm.hello()
    if hello.role not in _MAY:
        message = f"Login {hello.login} has the role {hello.role}. Secrets are for operators and owners."
        raise OvermindError("forbidden", message)


def _checked(name: str) -> str:
    if not is_secret_name(name):
        raise OvermindError("invalid", f"{name!r} can't be the name of a secret. {NAME_RULE}.")
    return name


def _sealed(key: str, name: str, value: bytes) -> bytes:
    from overmind_core.swarm import sealing  # noqa: PLC0415 - it loads PyNaCl, for those who set secrets

    try:
        return sealing.seal(key, name, value)
    except SecretError as error:
        raise OvermindError("invalid", f"{error}: a hive has joined with {key[:64]!r}.") from None


def _unknown(name: str) -> OvermindError:
    return OvermindError("no_secret", f"There is no secret {name}. See them with: overmind vault list")
