"""What is relied on of PostgreSQL and pgvector themselves."""

from __future__ import annotations

import psycopg


def test_a_search_among_few_of_many_vectors_finds_all_of_those(database_url):
    with psycopg.connect(database_url) as connection:
        connection.execute("create extension vector")
        connection.execute("create table notes (id int, colony text, meaning halfvec(8))")
        connection.execute(
            "insert into notes select one, case when one % 100 = 0 then 'few' else 'many' end,"
            " array[sin(one), cos(one), sin(one / 7.0), 1, 0, 0, 0, 0]::real[]::halfvec(8)"
            " from generate_series(1, 3000) one"
        )
        connection.execute("create index on notes using hnsw (meaning halfvec_cosine_ops)")
        connection.execute("set enable_seqscan = off")
        nearest = (
            "select id from notes where colony = 'few' order by meaning <=> '[0,1,0,1,0,0,0,0]'::halfvec(8) limit 20"
        )
        missing = connection.execute(nearest).fetchall()
        connection.execute("set hnsw.iterative_scan = strict_order")
        assert len(missing) < 20
        assert len(connection.execute(nearest).fetchall()) == 20
