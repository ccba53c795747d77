"""The line of authorized_keys that gives a person's key a gate with a role, and nothing else."""

from __future__ import annotations

import re
import shlex

_KEY = re.compile(r"(?:ssh|ecdsa|sk)-[A-Za-z0-9@.-]+ [A-Za-z0-9+/]+={0,3}(?: [^\x00-\x1f\x7f]*)?(?!\n)")
"""Type, base64 and a comment: no options before it, and no second line behind it."""


def public_key(word: str) -> str:
    """Check a person's public key.

    Raises:
        ValueError: it is none; a sentence.
    """
    if _KEY.fullmatch(word.strip()) is None:
        raise ValueError("give the one line of a public key, such as the content of ~/.ssh/id_ed25519.pub")
    return word.strip()


def authorized_line(who: str, role: str, key: str | None, home: str | None) -> str:
    """Return the line.

    Args:
        who: In whose name everything is done; a name that `gate --as` takes.
        role: One of `domain.hives.ROLES`.
        key: The person's public key; None leaves its place open.
        home: The home, where it is not the account's usual one.
    """
    words = ["overmind", *([] if home is None else ["--home", home]), "gate", "--as", who, "--role", role]
    command = shlex.join(words).replace("\\", "\\\\").replace('"', '\\"')
    return f'restrict,command="{command}" {key or f"<the public key of {who}>"}'
