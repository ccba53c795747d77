"""The shop with a database that is forgotten afterwards."""

from __future__ import annotations

import json
import unittest
from socketserver import BaseServer
from threading import Thread
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from shop import page, prices
from shop.redis import Redis, RedisError
from shop.server import server

from tests.stand_in import serving


class Shop(unittest.TestCase):
    def setUp(self):
        self.database = self.serve(serving())
        self.shop = self.serve(server(0, self.connect))

    def serve(self, one: BaseServer):
        thread = Thread(target=one.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(one.server_close)
        self.addCleanup(one.shutdown)
        return one.server_address[1]

    def connect(self):
        return Redis("127.0.0.1", self.database)

    def ask(self, path: str, method: str = "GET"):
        with urlopen(Request(f"http://127.0.0.1:{self.shop}{path}", method=method)) as reply:
            return reply.read().decode()

    def test_it_is_healthy_while_its_database_is(self):
        self.assertEqual(self.ask("/health"), "PONG\n")

    def test_what_was_put_into_a_cart_is_in_that_one_alone(self):
        for item in ("tea", "cup", "tea"):
            self.ask(f"/cart/ada?item={item}", "POST")
        self.assertEqual(json.loads(self.ask("/cart/ada.json"))["items"], {"cup": 1, "tea": 2})
        self.assertEqual(json.loads(self.ask("/cart/bob.json")), {"items": {}, "cents": 0})

    def test_a_page_shows_the_cart_and_counts_its_visitors(self):
        self.ask("/cart/ada?item=tea", "POST")
        self.assertIn("<li>1 x tea</li>", self.ask("/cart/ada"))
        self.assertIn("visitor 2", self.ask("/cart/ada"))

    def test_what_nobody_sells_is_not_found(self):
        with self.assertRaises(HTTPError) as refused:
            self.ask("/cart/ada?item=gold", "POST")
        self.assertEqual(refused.exception.code, 404)
        refused.exception.close()

    def test_the_database_may_refuse(self):
        with self.connect() as database, self.assertRaises(RedisError):
            database("FLUSHALL")


class Parts(unittest.TestCase):
    def test_one_of_each_costs_the_sum(self):
        self.assertEqual(prices.total(dict.fromkeys(prices.PRICES, 1)), sum(prices.PRICES.values()))

    def test_a_page_has_a_sum_with_a_currency(self):
        self.assertIn(f"4.20 {page.CURRENCY}", page.cart({"tea": 1}, 420, 1))


if __name__ == "__main__":
    unittest.main()
