"""Sealed boxes (X25519, XSalsa20-Poly1305): anybody seals for a public key, its private key alone opens.

Loads PyNaCl.
"""

from __future__ import annotations

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox

from overmind_core.domain.swarm.secrets import SecretError, packed, unpacked


def new_private_key() -> bytes:
    """Return a new private key."""
    return bytes(PrivateKey.generate())


def public_key_of(private: bytes) -> str:
    """Return the public key of a private one, hexadecimal."""
    return bytes(PrivateKey(private).public_key).hex()


def seal(public: str, name: str, value: bytes) -> bytes:
    """Return a copy of a secret that one hive can open.

    Raises:
        SecretError: the key is none.
    """
    try:
        return SealedBox(PublicKey(bytes.fromhex(public))).encrypt(packed(name, value))
    except (CryptoError, ValueError, TypeError):
        raise SecretError("This is not a public key") from None


def open_sealed(private: bytes, name: str, sealed: bytes) -> bytes:
    """Return the value of a copy.

    Raises:
        SecretError: it was sealed for another key, under another name, or is damaged.
    """
    try:
        opened = SealedBox(PrivateKey(private)).decrypt(sealed)
    except (CryptoError, ValueError, TypeError):
        raise SecretError(f"The copy of {name} can't be opened here: it was sealed for another key") from None
    return unpacked(name, opened)
