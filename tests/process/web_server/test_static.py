"""The files that a browser loads: the first are named at once, and what shrinks is packed for who takes that."""

from __future__ import annotations

import gzip
import re

PRELOAD = re.compile(r'<link rel="modulepreload" href="(s/[^"]+)">')


def test_what_a_page_loads_first_is_named_in_the_shell_once_and_is_there(site):
    shell = site.client.ask("GET", "/").body.decode()
    named = PRELOAD.findall(shell)
    assert len(set(named)) == len(named)
    assert {name.split("/", 2)[2] for name in named} >= {"app.js", "pages/missions.js", "lib/socket.js", "lib/table.js"}
    assert "{{" not in shell
    for name in named:
        assert site.client.ask("GET", f"/{name}").status == 200


def test_a_file_is_packed_for_who_takes_that_and_is_the_same(site):
    path = "/" + PRELOAD.findall(site.client.ask("GET", "/").body.decode())[0]
    plain = site.client.ask("GET", path)
    packed = site.client.ask("GET", path, {"Accept-Encoding": "gzip, br"})
    assert plain.header("content-encoding") is None
    assert packed.header("content-encoding") == "gzip"
    assert plain.header("vary") == packed.header("vary") == "Accept-Encoding"
    assert len(packed.body) < len(plain.body) / 2
    assert gzip.decompress(packed.body) == plain.body


def test_the_stylesheets_of_the_shell_are_sent_as_one_in_their_order(site):
    shell = site.client.ask("GET", "/").body.decode()
    (path,) = re.findall(r'<link rel="stylesheet" href="(s/[^"]+)">', shell)
    styles = site.client.ask("GET", f"/{path}").body.decode()
    sheets = [
        site.client.ask("GET", f"/{path.replace('styles.css', f'styles/{name}.css')}")
        for name in ("tokens", "base", "doctor")
    ]
    assert all(one.status == 200 for one in sheets)
    places = [styles.index(one.body.decode()) for one in sheets]
    assert places == sorted(places)
    assert places[0] == 0
