"""A small repository, and programs that work in it as agents would: each in a worktree of its own."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping

WORKERS = ("vouchers", "delivery")
AUTHOR = {
    "GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.com", "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.com",
}  # fmt: skip
FILES = {
    "checkout.py": '''from cart import Cart


def total(cart: Cart) -> int:
    """What a customer pays, in cents."""
    return sum(item.price * item.count for item in cart.items)


def receipt(cart: Cart) -> str:
    lines = [f"{item.name:<20} {item.price * item.count / 100:8.2f}" for item in cart.items]
    return "\\n".join([*lines, f"{'total':<20} {total(cart) / 100:8.2f}"])
''',
    "cart.py": """from dataclasses import dataclass, field


@dataclass
class Item:
    name: str
    price: int
    count: int = 1


@dataclass
class Cart:
    items: list[Item] = field(default_factory=list)
""",
    "vouchers": r"""#!/bin/sh
sed -i 's/^from cart import Cart$/&\nfrom vouchers import is_valid, reduced/
s/total(cart: Cart)/total(cart: Cart, voucher: str = "")/
s/^    return sum\(.*\)$/    full = sum\1\n    return reduced(full) if is_valid(voucher) else full/' checkout.py
cat >vouchers.py <<'END'
def is_valid(voucher: str) -> bool:
    return voucher.startswith("SUMMER-")


def reduced(cents: int) -> int:
    return cents * 85 // 100
END
git add -A && git commit -qm 'Vouchers take a share of the sum'
mkdir -p tests && cat >tests/test_vouchers.py <<'END'
from vouchers import is_valid


def test_only_what_was_printed_is_a_voucher():
    assert is_valid("SUMMER-1")
    assert not is_valid("WINTER-1")
END
git add -A && git commit -qm 'Vouchers are tested'
echo 'Vouchers work, and are tested. Two commits.'
exec cat
""",
    "delivery": r"""#!/bin/sh
cat >>cart.py <<'END'

    def weight(self) -> int:
        return sum(item.count for item in self.items) * 250
END
echo 'Is 250 g an item what you want?'
exec cat
""",
}


def repository(folder: str, environ: Mapping[str, str]) -> None:
    """Make it; who works in it has its author's name by `environ`, as here."""
    os.makedirs(folder)
    for name, text in FILES.items():
        path = os.path.join(folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, 0o700 if name in WORKERS else 0o600)
    commit(folder, environ)


def commit(folder: str, environ: Mapping[str, str]) -> None:
    """Make a repository of a folder."""
    subprocess.run(["git", "init", "-q", "-b", "main"], cwd=folder, env={**environ}, check=True)
    commit_all(folder, environ)


def commit_all(folder: str, environ: Mapping[str, str]) -> None:
    """Commit all that the folder of a repository has."""
    for words in (("add", "-A"), ("commit", "-q", "-m", "A shop")):
        subprocess.run(["git", *words], cwd=folder, env={**environ}, check=True)
