"""`python -m shop --port 8000`: serve, with the database that DB_HOST and DB_PORT name."""

from __future__ import annotations

import argparse
import os

from shop.redis import Redis
from shop.server import server


def main() -> None:
    """Serve until somebody ends it."""
    parser = argparse.ArgumentParser(prog="shop")
    parser.add_argument("--port", type=int, default=8000)
    port = parser.parse_args().port
    host, database = os.environ.get("DB_HOST", "127.0.0.1"), int(os.environ.get("DB_PORT", "6379"))
    print(f"shop at :{port}, database at :{database}", flush=True)
    server(port, lambda: Redis(host, database)).serve_forever()


if __name__ == "__main__":
    main()
