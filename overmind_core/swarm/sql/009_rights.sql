-- The views, and who may use what. A role includes those before it: viewer, worker, operator, owner.

create view hive_list with (security_barrier) as
    select h.name, h.login, h.labels, h.slots, h.cpu, h.memory, h.free_slots, h.free_cpu, h.free_memory, h.load,
        h.providers, h.accepts, h.version, h.format, h.key, h.system, h.draining, s.id as session, s.home, s.beat, s.settle,
        extract(epoch from now() - s.seen_at)::float8 as seen_ago,
        (select count(*) from posts p where p.session = s.id and p.state in ('claimed', 'lost') and p.kind <> 'pool') as held,
        array(select x.name from secrets x where x.hive in (h.name, h.login) order by 1) as secrets
    from hives h left join sessions s on s.hive = h.name and s.state = 'alive'
    where rank_of(my_role()) >= 1;

create view post_list with (security_barrier) as
    select p.id, p.kind, p.name, p.state, p.version, p.hive, p.session, p.fence, p.labels, p.cpu, p.memory, p.provider,
        p.secrets, p.only_hive, p.prefers, p.format, p.repository, p.owned, p.budget, p.lineage, p.spec, p.pack, p.on_lost,
        p.lease, p.delay, p.priority, p.deadline_at, p.retries, p.spent, p.dependants, p.able_at, p.fixed, p.unmet,
        p.needs_min, p.status, p.phase, p.attempt, p.cost, p.progress, p.ready, p.cancelling, p.hive_lost, p.exit_code,
        p.reason, p.fleet, p.place, p.generation, p.posted_by, extract(epoch from p.posted_at)::float8 as posted_at,
        extract(epoch from p.claimed_at)::float8 as claimed_at, p.ended_at,
        array(select n.need from needs n where n.post = p.id order by 1) as needs,
        (select count(*) from questions q where q.post = p.id and q.answer is null) as questions,
        score(p.fixed, p.able_at, p.deadline_at, extract(epoch from now())::float8) as score
    from posts p where rank_of(my_role()) >= 1 and p.kind <> 'pool';

create view post_ends with (security_barrier) as
    select p.id, p.definition, p.result, p.tail from posts p where rank_of(my_role()) >= 1;

create view output_list with (security_barrier) as
    select o.post, o.name, o.body from outputs o join posts p on p.id = o.post and p.fence = o.fence
    where rank_of(my_role()) >= 1;

create view question_list with (security_barrier) as
    select q.number, q.post, p.name, p.hive, q.key, q.body, q.answer, q.answered_by
    from questions q join posts p on p.id = q.post where rank_of(my_role()) >= 1;

create view refusal_list with (security_barrier) as
    select r.post, r.hive, r.reason from refusals r join posts p on p.id = r.post and p.state = 'queued'
    where rank_of(my_role()) >= 1;

create view fleet_list with (security_barrier) as
    select f.fleet as name, f.want, f.generation, f.source, f.posted_by, f.definition,
        count(p.id) filter (where p.state = 'claimed') as alive,
        count(p.id) filter (where p.state = 'lost') as lost,
        count(p.id) filter (where p.state = 'queued') as queued,
        coalesce(array_agg(distinct p.hive) filter (where p.state in ('claimed', 'lost')), '{}') as hives
    from places f left join posts p on p.fleet = f.fleet
    where rank_of(my_role()) >= 1 group by f.fleet;

create view limit_list with (security_barrier) as
    select name, most from limits where rank_of(my_role()) >= 1;

create view secret_list with (security_barrier) as
    select name, hive, put_by from secrets where rank_of(my_role()) >= 1;

-- `machine`: what an instance of it has. `hive`: who decides about it; and, as that one has told, `progress`: its engine,
-- min, max, slots, labels and wanted, and why its engine does not answer (`silence`).
create view pool_list with (security_barrier) as
    select l.name, l.key, l.machine, case when p.state = 'claimed' then p.hive end as hive, p.progress,
        array(select h.name from hives h where l.name = any(h.pools) and not exists (select from logins o
            where o.name = h.login and o.pool) order by 1) as offered_by
    from logins l join posts p on p.kind = 'pool' and p.name = l.name
    where l.pool and rank_of(my_role()) >= 1;

create view login_list with (security_barrier) as
    select name, role, pool, invited_by from logins where rank_of(my_role()) >= 1;

create view event_list with (security_barrier) as
    select seq, extract(epoch from at)::float8 as at, type, post, hive, by, body from events
    where rank_of(my_role()) >= 1;

create view status with (security_barrier) as
    select m.name, m.mode, m.settle, m.longest,
        (select count(*) from hives) as hives,
        (select count(*) from posts where state = 'queued' and kind <> 'pool') as queued,
        (select count(*) from posts where state = 'claimed' and kind <> 'pool') as claimed,
        (select count(*) from posts where state = 'lost' and kind <> 'pool') as lost,
        (select count(*) from questions where answer is null) as questions
    from meta m where rank_of(my_role()) >= 1;

-- Run by each `swarm init`: roles are the server's, not the database's, so that a restored swarm may lack them.
create function grant_rights() returns void
    language plpgsql set search_path = overmind, pg_temp as $$
declare
    roles constant text[] := array['viewer', 'worker', 'operator', 'owner'];
    role text;
    before text;
    one record;
begin
    foreach role in array roles loop
        if not exists (select from pg_roles where rolname = 'overmind_' || role) then
            begin
                execute format('create role %I nologin', 'overmind_' || role);
            exception when duplicate_object or unique_violation then
                null; -- somebody makes it for another database of this server
            end;
        end if;
        if before is not null and not pg_has_role('overmind_' || role, 'overmind_' || before, 'member') then
            begin
                execute format('grant %I to %I', 'overmind_' || before, 'overmind_' || role);
            exception when duplicate_object or unique_violation then
                null;
            end;
        end if;
        before := role;
    end loop;
    revoke all on schema overmind from public;
    revoke all on all tables in schema overmind from public;
    revoke all on all sequences in schema overmind from public;
    revoke all on all functions in schema overmind from public;
    grant usage on schema overmind to overmind_viewer;
    for one in select viewname from pg_views where schemaname = 'overmind' loop
        execute format('grant select on %I to overmind_viewer', one.viewname);
    end loop;
    for one in
        select p.oid::regprocedure as signature, g.role from pg_proc p
        join (values
            ('viewer', array['hello', 'my_role', 'rank_of', 'score', 'pools_for']),
            ('worker', array['join', 'beat', 'settled', 'leave', 'drain', 'claim', 'claims_of', 'report_progress', 'report_end', 'tell', 'exchange', 'give_back', 'take',
                'watchlist', 'present', 'generation', 'generation_begins', 'put_output', 'inputs', 'my_secrets', 'claim_pools', 'look_at_pool',
                'ask_instances', 'report_instance']),
            ('operator', array['post', 'cancel', 'retry', 'answer', 'set_limit', 'apply_fleets', 'scale', 'delete_fleet',
                'put_secret', 'drop_secret', 'add_to_pool', 'end_instances']),
            ('owner', array['invite', 'uninvite', 'remove_hive'])
        ) g(role, functions) on p.proname = any(g.functions)
        where p.pronamespace = 'overmind'::regnamespace
    loop
        execute format('grant execute on function %s to %I', one.signature, 'overmind_' || one.role);
    end loop;
end $$;
