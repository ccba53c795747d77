"""Secrets of a vault: what may be one, what stands in a sealed copy, and the fingerprint of a hive's key. Pure."""

from __future__ import annotations

import re

NAMES = "OVERMIND_SECRETS"
"""Tells a run which of its variables are secrets, separated by commas: what it starts by us doesn't inherit them."""
LARGEST = 64 * 1024
"""Bytes of a value; the kernel refuses variables of twice as many."""
NAME_RULE = "Write a variable's name: letters, digits and _, none of ours (OVERMIND_…), up to 128 characters"
_NAME = re.compile(r"(?!OVERMIND_)[A-Za-z_][A-Za-z0-9_]{0,127}")
_SEPARATOR = b"="
_GROUP = 4
_SHOWN = 32
"""Hexadecimal digits of a fingerprint: nobody makes a second key with the same 128 bits."""


class SecretError(ValueError):
    """Something can't be a secret; the message is a sentence."""


def is_secret_name(name: str) -> bool:
    """Whether a secret may be called so: as the variable that it becomes."""
    return _NAME.fullmatch(name) is not None


def check_secret(name: str, value: bytes) -> None:
    """Refuse what no program could be given.

    Raises:
        SecretError: the message never has the value.
    """
    if not is_secret_name(name):
        raise SecretError(f"{name!r} can't be the name of a secret. {NAME_RULE}.")
    if not value:
        raise SecretError(f"The value of {name} is empty. Give it on standard input.")
    if b"\0" in value:
        raise SecretError(f"The value of {name} contains a NUL byte, and no program accepts one.")
    if len(value) > LARGEST:
        message = f"The value of {name} has more than {LARGEST} bytes. Keep it in a file there."
        raise SecretError(message)


def packed(name: str, value: bytes) -> bytes:
    """Return what is sealed: with its name, so that a copy can't be passed off as one of another name."""
    return name.encode() + _SEPARATOR + value


def unpacked(name: str, sealed: bytes) -> bytes:
    """Return the value of what was sealed under a name.

    Raises:
        SecretError: it was sealed under another one.
    """
    written, separator, value = sealed.partition(_SEPARATOR)
    if not separator or written != name.encode():
        raise SecretError(f"The copy of {name} was sealed under another name")
    return value


def fingerprint(key: str) -> str:
    """Return how people compare public keys (hexadecimal): `4f1c 09aa …`, eight groups."""
    from hashlib import sha256  # noqa: PLC0415 - it loads OpenSSL: 4 MB, for members of a swarm

    digits = sha256(key.encode()).hexdigest()[:_SHOWN]
    return " ".join(digits[at : at + _GROUP] for at in range(0, _SHOWN, _GROUP))
