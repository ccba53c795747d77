"""The shop's stock, and the check that it is written as the shop's till reads it."""

from __future__ import annotations

import json
import sys

STOCK = "stock.json"
SOURCE = '{\n  "apple": {"packets": 30, "weight": 1000},\n  "coffee": {"packets": 20, "weight": 500}\n}\n'


def problems(text: str) -> list[str]:
    """What the till would refuse, a line each."""
    try:
        stock = json.loads(text)
    except ValueError as error:
        return [f"{STOCK}: {error}"]
    return [
        f"{STOCK}: {name}: weight {one['weight']} is not a whole number"
        for name, one in stock.items()
        if not isinstance(one["weight"], int)
    ]


def main() -> None:
    """Check the file in the folder that we stand in."""
    with open(STOCK, encoding="utf-8") as file:
        found = problems(file.read())
    sys.stdout.write("".join(f"{line}\n" for line in found) or "stock.json is as the till reads it\n")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
