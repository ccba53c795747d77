"""Who may do what: each function as each role, tables for nobody, and invitations."""

from __future__ import annotations

import threading
import uuid

import psycopg
import pytest

from overmind_core.errors import OvermindError
from overmind_core.swarm import database, schema

VIEWER = {"hello", "my_role", "pools_for"}
WORKER = {
    "join", "beat", "settled", "leave", "drain", "claim", "claims_of", "report_progress", "report_end",
    "tell", "exchange", "give_back", "take", "watchlist", "present",
    "put_output", "inputs", "my_secrets", "claim_pools", "look_at_pool",
    "ask_instances", "report_instance",
    "generation", "generation_begins",
}  # fmt: skip
OPERATOR = {
    "post", "cancel", "retry", "answer", "set_limit", "apply_fleets", "scale", "delete_fleet", "put_secret",
    "drop_secret", "add_to_pool", "end_instances",
}  # fmt: skip
OWNER = {"invite", "uninvite", "remove_hive"}
MAY = {
    "viewer": VIEWER,
    "worker": VIEWER | WORKER,
    "operator": VIEWER | WORKER | OPERATOR,
    "owner": VIEWER | WORKER | OPERATOR | OWNER,
}
READ_ONLY = {"rank_of", "score"}
"""Functions of the views, which look at their arguments alone."""
VIEWS = {
    "hive_list", "post_list", "post_ends", "question_list", "refusal_list", "fleet_list", "limit_list", "secret_list",
    "instance_list", "login_list", "event_list", "status", "pool_list",
    "generation_list", "output_list",
}  # fmt: skip


def functions(swarm):
    return swarm.sql(
        "select proname, oid::regprocedure::text, pronargs, prosecdef,"
        " prosqlbody is not null or proconfig @> array['search_path=overmind, pg_temp']"
        " from pg_proc where pronamespace = 'overmind'::regnamespace order by 1"
    )


def test_every_function_has_a_fixed_search_path(swarm):
    assert [name for name, _, _, _, is_fixed in functions(swarm) if not is_fixed] == []


def test_whatever_somebody_may_call_runs_as_the_owner_of_the_store_and_nothing_else_does(swarm):
    definers = {name for name, _, _, is_definer, _ in functions(swarm) if is_definer}
    assert definers == MAY["owner"]


@pytest.mark.parametrize("role", MAY)
def test_each_function_as_each_role(swarm, role):
    swarm.member("me", role)
    url = swarm.url_of(swarm.login("me"))
    allowed = set()
    with psycopg.connect(url, autocommit=True) as connection:
        for name, _, arguments, _, _ in functions(swarm):
            try:
                connection.execute(f'select overmind."{name}"({", ".join(["null"] * arguments)})')
            except psycopg.errors.InsufficientPrivilege:
                continue
            except psycopg.Error as error:
                if error.diag.message_hint == "forbidden":
                    continue
            allowed.add(name)
    expected = MAY[role] | READ_ONLY
    assert allowed == (expected - {"drain"} if role == "worker" else expected)  # a worker drains its own hive alone


@pytest.mark.parametrize("role", MAY)
def test_nobody_has_rights_on_tables_and_everybody_looks_at_views(swarm, role):
    swarm.member("me", role)
    relations = swarm.sql(
        "select relname, relkind::text from pg_class"
        " where relnamespace = 'overmind'::regnamespace and relkind in ('r', 'S', 'v')"
    )
    with psycopg.connect(swarm.url_of(swarm.login("me")), autocommit=True) as connection:
        for name, kind in relations:
            if kind == "v":
                assert name in VIEWS
                connection.execute(f"select * from overmind.{name}")
                continue
            columns = "last_value" if kind == "S" else "*"
            for statement in (f"select {columns} from overmind.{name}", f"delete from overmind.{name}"):
                with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.WrongObjectType)):
                    connection.execute(statement)
        for statement in (
            "create table overmind.mine (a int)", "create function overmind.mine() returns int language sql return 1",
            "drop schema overmind cascade", "select nextval('overmind.fences')", "select overmind.serialize()",
        ):  # fmt: skip
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)
    assert {name for name, kind in relations if kind == "v"} == VIEWS


def test_a_search_path_with_functions_of_ones_own_changes_nothing(swarm):
    swarm.member("me", "worker")
    with psycopg.connect(swarm.url_of(swarm.login("me")), autocommit=True) as connection:
        connection.execute("create function pg_temp.may(role text) returns void language sql as 'select'")
        connection.execute(
            "create temp table logins as select session_user::text as name, 'owner' as role, false as pool"
        )
        connection.execute("set search_path = pg_temp, overmind")
        assert connection.execute("select overmind.my_role()").fetchone() == ("worker",)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("select overmind.invite('x', 'owner', false, '')")


def test_a_login_of_one_swarm_is_none_of_another_one_of_the_same_server(swarm, module_database_url):
    from tests.kit.swarm import swarm_in

    with swarm_in(module_database_url) as other:
        other.member("eve", "owner")
        login = other.login("eve")
        with pytest.raises(OvermindError, match="none of this swarm") as refused:
            database.connect(swarm.url_of(login))
        assert refused.value.code == "forbidden"
        with psycopg.connect(swarm.url_of(login), autocommit=True) as connection:
            assert connection.execute("select count(*) from overmind.hive_list").fetchone() == (0,)
            with pytest.raises(psycopg.Error, match="none of this swarm"):
                connection.execute("select overmind.post('[]')")
        with pytest.raises(OvermindError) as taken:
            swarm.admin.invite(login, "viewer", "secret")
        assert taken.value.code == "name_taken"


def test_an_invitation_again_is_a_new_password_and_may_change_the_role(swarm):
    login = swarm.login("alice")
    assert swarm.admin.invite(login, "viewer", "first") == "invited"
    (before,) = swarm.sql("select rolpassword from pg_authid where rolname = %s", login)
    assert before[0].startswith("SCRAM-SHA-256$")
    assert swarm.admin.invite(login, "operator", "second") == "changed"
    (after,) = swarm.sql("select rolpassword from pg_authid where rolname = %s", login)
    assert after != before
    alice = swarm.connected(swarm.url_of(login))
    assert alice.hello().role == "operator"
    assert alice.post([{"id": "1", "kind": "run", "name": "a"}]) == ["1"]
    swarm.admin.invite(login, "viewer", "third")
    with pytest.raises(OvermindError) as refused:
        alice.post([{"id": "2", "kind": "run", "name": "b"}])
    assert refused.value.code == "forbidden"
    assert "An owner can make it an operator: overmind swarm invite" in refused.value.message
    assert swarm.admin.uninvite(login)
    assert not swarm.admin.uninvite(login)


def test_a_login_that_is_removed_is_none_of_the_server_any_more_and_its_name_is_free(swarm):
    person, hive, pool = swarm.login("alice"), swarm.hive("eu1").name, swarm.login("hpc")
    swarm.admin.invite(person, "operator", "secret")
    swarm.admin.invite(pool, "worker", "secret", pool=True)
    assert swarm.admin.uninvite(person)
    assert swarm.admin.uninvite(pool)
    swarm.admin.remove_hive(hive)
    names = [person, hive, pool]
    assert swarm.sql("select rolname from pg_roles where rolname = any(%s)", names) == []
    assert [swarm.admin.invite(name, "worker", "secret") for name in names] == ["invited"] * 3


@pytest.mark.parametrize(
    ("login", "role", "code"),
    [
        ("all", "worker", "invalid"), ("local", "worker", "invalid"), ("swarm", "worker", "invalid"),
        ("pg_x", "worker", "invalid"), ("overmind_owner", "worker", "invalid"), ("Eu1", "worker", "invalid"),
        ('a"; drop', "worker", "invalid"), ("", "worker", "invalid"), ("x" * 49, "worker", "invalid"),
        ("fine", "admin", "invalid"), ("postgres", "owner", "name_taken"),
    ],
)  # fmt: skip
def test_what_can_be_no_invitation_is_refused(swarm, login, role, code):
    with pytest.raises(OvermindError) as refused:
        swarm.admin.invite(login, role, "secret")
    assert refused.value.code == code
    assert swarm.admin.logins() == []


def test_a_secret_is_read_by_the_hive_that_it_is_sealed_for_and_for_its_post_alone(swarm):
    first, second = swarm.hive("eu1"), swarm.hive("eu2")
    swarm.admin.put_secret("NPM", first.name, b"sealed")
    swarm.post(secrets=["NPM"])
    plain = swarm.post()
    assert [one.id for one in second.claim(9)] == [plain]
    claim = first.claim_one()
    assert first.swarm.my_secrets(first.session, claim.id, claim.fence) == {"NPM": b"sealed"}
    for fence, hive in ((claim.fence, second), (claim.fence + 1, first)):
        with pytest.raises(OvermindError) as fenced:
            hive.swarm.my_secrets(hive.session, claim.id, fence)
        assert fenced.value.code == "fenced"
    assert [(one.name, one.hive) for one in swarm.admin.secrets()] == [("NPM", first.name)]
    assert swarm.admin.drop_secret("NPM") == 1
    assert swarm.admin.secrets() == []


def test_an_owner_without_superuser_has_a_swarm_and_invites(database_url, swarm):
    name = swarm.login("dba")
    swarm.sql(f'create role "{name}" login createrole')
    (database_name,) = swarm.sql("select current_database()")[0]
    swarm.sql(f'create database "{name}" owner "{name}"')
    try:
        with psycopg.connect(
            swarm.url_of(name).replace(f"/{database_name}?", f"/{name}?"), autocommit=True
        ) as connection:
            prepared = schema.migrate(connection)
            assert prepared.schema == len(schema.released())
        dba = database.connect(swarm.url_of(name).replace(f"/{database_name}?", f"/{name}?"))
        try:
            assert dba.hello().role == "owner"
            assert dba.invite(swarm.login("eu9"), "worker", "secret") == "invited"
        finally:
            dba.close()
    finally:
        swarm.sql(f'drop database "{name}" with (force)')


def test_an_owner_that_may_not_make_logins_is_told_so(database_url, swarm):
    name = swarm.login("dba")
    swarm.sql(f'create role "{name}" login')
    (database_name,) = swarm.sql("select current_database()")[0]
    swarm.sql(f'create database "{name}" owner "{name}"')
    try:
        with psycopg.connect(
            swarm.url_of(name).replace(f"/{database_name}?", f"/{name}?"), autocommit=True
        ) as connection:
            assert any("CREATEROLE" in text for text in schema.migrate(connection).warnings)
        dba = database.connect(swarm.url_of(name).replace(f"/{database_name}?", f"/{name}?"))
        try:
            with pytest.raises(OvermindError, match="CREATEROLE"):
                dba.invite(swarm.login("eu9"), "worker", "secret")
        finally:
            dba.close()
    finally:
        swarm.sql(f'drop database "{name}" with (force)')


# the schema itself


def test_two_at_once_make_one_swarm(database_url):
    made = []

    def make() -> None:
        with psycopg.connect(database_url, autocommit=True) as connection:
            made.append(schema.migrate(connection).schema)

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert made == [len(schema.released())] * 4
    with psycopg.connect(database_url) as connection:
        assert connection.execute("select count(*) from overmind.meta").fetchone() == (1,)


def test_a_schema_newer_is_an_error_and_changes_nothing(swarm):
    swarm.sql("insert into overmind.schema_version values (%s)", len(schema.released()) + 1)
    with (
        psycopg.connect(swarm.url, autocommit=True) as connection,
        pytest.raises(OvermindError, match="Upgrade Overmind") as refused,
    ):
        schema.migrate(connection)
    assert refused.value.code == "swarm_silent"
    with pytest.raises(OvermindError, match="newer than this program") as refused:
        database.connect(swarm.url)
    assert refused.value.code == "swarm_silent"


def test_a_schema_older_is_said(swarm):
    swarm.sql("delete from overmind.schema_version where version = %s", len(schema.released()))
    with pytest.raises(OvermindError, match="older than this program") as refused:
        database.connect(swarm.url)
    assert refused.value.code == "swarm_silent"


def test_a_schema_of_somebody_else_is_left_alone(database_url):
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("create schema overmind")
        with pytest.raises(OvermindError) as refused:
            schema.migrate(connection)
    assert refused.value.code == "invalid"


def test_a_database_without_a_swarm_is_said(database_url):
    with pytest.raises(OvermindError, match="overmind swarm init") as refused:
        database.connect(database_url)
    assert refused.value.code == "swarm_silent"


def test_the_tables_of_a_cortex_stand_beside_it(swarm):
    from overmind_core.cortex import schema as cortex

    with psycopg.connect(swarm.url, autocommit=True) as connection:
        assert cortex.migrate(connection) == cortex.NEWEST
    assert swarm.admin.status().hives == 0
    eve = swarm.login(uuid.uuid4().hex[:4])
    swarm.admin.invite(eve, "operator", "secret")
    with (
        psycopg.connect(swarm.url_of(eve), autocommit=True) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute("select * from entry")
