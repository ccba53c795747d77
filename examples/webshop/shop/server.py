"""The shop as a server: `GET /health`, `GET /cart/NAME`, `GET /cart/NAME.json`, `POST /cart/NAME?item=tea`."""

from __future__ import annotations

import json
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from shop import cart, page
from shop.prices import total
from shop.redis import Redis, RedisError

Connect = Callable[[], Redis]


def server(port: int, connect: Connect) -> ThreadingHTTPServer:
    """A server on this machine's loopback; `port` 0 takes any that is free."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(_get)

        def do_POST(self) -> None:
            self._answer(_post)

        def log_message(self, form: str, *words: object) -> None:
            del form, words

        def _answer(self, work: Callable[[Redis, str], tuple[str, str]]) -> None:
            try:
                with connect() as database:
                    kind, text = work(database, self.path)
            except (KeyError, cart.NoSuchItem) as error:
                self._send(HTTPStatus.NOT_FOUND, "text/plain", f"there is no {error}\n")
            except (OSError, RedisError) as error:
                self._send(HTTPStatus.SERVICE_UNAVAILABLE, "text/plain", f"no database: {error}\n")
            else:
                self._send(HTTPStatus.OK, kind, text)

        def _send(self, status: HTTPStatus, kind: str, text: str) -> None:
            data = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)


def _get(database: Redis, path: str) -> tuple[str, str]:
    if path == "/health":
        return "text/plain", f"{database('PING')}\n"
    customer = _customer(path)
    items = cart.items(database, customer.removesuffix(".json"))
    if customer.endswith(".json"):
        return "application/json", json.dumps({"items": items, "cents": total(items)}) + "\n"
    return "text/html", page.cart(items, total(items), cart.visit(database))


def _post(database: Redis, path: str) -> tuple[str, str]:
    customer = _customer(path)
    for item in parse_qs(urlsplit(path).query).get("item", []):
        cart.add(database, customer, item)
    items = cart.items(database, customer)
    return "application/json", json.dumps({"items": items, "cents": total(items)}) + "\n"


def _customer(path: str) -> str:
    folder, _, customer = urlsplit(path).path.removeprefix("/").partition("/")
    if folder != "cart" or not customer:
        raise KeyError(path)
    return customer
