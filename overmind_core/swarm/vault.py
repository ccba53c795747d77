"""The vault of a home: the values of its secrets, and the key pair by which others seal theirs for it.

Both are files for the account alone. A value is kept here so that it can be sealed for one more hive; it stands in no
database, event, log or answer.
"""

from __future__ import annotations

import base64
import os
from typing import TYPE_CHECKING, TypeVar

import msgspec

from overmind_core.errors import OvermindError
from overmind_core.system.paths import write_private

if TYPE_CHECKING:
    from overmind_core.system.paths import Home

Found = TypeVar("Found")


class HiveKey(msgspec.Struct, frozen=True):
    """A key pair, hexadecimal."""

    public: str
    private: str

    def __repr__(self) -> str:
        """Show the public one alone."""
        return f"HiveKey({self.public})"


def new_key_pair() -> HiveKey:
    """Return a new key pair: of a home, or of all instances of a pool."""
    from overmind_core.swarm import sealing  # noqa: PLC0415 - it loads PyNaCl

    private = sealing.new_private_key()
    return HiveKey(sealing.public_key_of(private), private.hex())


class Vault:
    """Read whenever it is asked: people look at secrets rarely. Used from one thread.

    Raises:
        OvermindError: `internal`, one of its files can't be read.
    """

    def __init__(self, home: Home) -> None:
        self._home = home

    def key(self) -> HiveKey:
        """Return the key pair of this home; made when it is asked for first."""
        found = self._kept_key()
        if found is None:
            found = new_key_pair()
            write_private(self._home.hive_key, msgspec.json.encode(found).decode())
        return found

    def keep_key(self, private: str) -> None:
        """Take this for the private key of this home: that of the pool of which it is an instance."""
        from overmind_core.swarm import sealing  # noqa: PLC0415 - it loads PyNaCl

        pair = HiveKey(sealing.public_key_of(bytes.fromhex(private)), private)
        write_private(self._home.hive_key, msgspec.json.encode(pair).decode())

    def public_key(self) -> str | None:
        """Return the public key of this home, if it has one."""
        found = self._kept_key()
        return None if found is None else found.public

    def names(self) -> list[str]:
        """Return the names of the secrets that are kept here."""
        return sorted(self._values())

    def value(self, name: str) -> bytes | None:
        """Return the value of a secret; None: it is not kept here."""
        found = self._values().get(name)
        return None if found is None else base64.b64decode(found)

    def put(self, name: str, value: bytes) -> None:
        """Keep a value, in place of the one before."""
        self._write({**self._values(), name: base64.b64encode(value).decode()})

    def remove(self, name: str) -> bool:
        """Forget a value; False: there was none."""
        values = self._values()
        if name not in values:
            return False
        del values[name]
        self._write(values)
        return True

    def _kept_key(self) -> HiveKey | None:
        text = self._read(self._home.hive_key)
        return None if text is None else _decoded(self._home.hive_key, text, HiveKey)

    def _values(self) -> dict[str, str]:
        text = self._read(self._home.vault)
        return {} if text is None else _decoded(self._home.vault, text, dict[str, str])

    def _write(self, values: dict[str, str]) -> None:
        if values:
            write_private(self._home.vault, msgspec.json.encode(values).decode())
        else:
            os.unlink(self._home.vault)

    @staticmethod
    def _read(path: str) -> bytes | None:
        try:
            with open(path, "rb") as file:
                return file.read()
        except FileNotFoundError:
            return None


def _decoded(path: str, text: bytes, kind: type[Found]) -> Found:
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.DecodeError:  # its message could quote a value
        raise OvermindError("internal", f"{path} is damaged. Remove it, and set its secrets anew.") from None
