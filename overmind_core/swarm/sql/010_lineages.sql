-- Lineages: a name whose runs are generations of one agent. At most one lives; see `claim`.

create table generations ( -- the runs of a lineage, one after the other
    lineage text collate "C" not null,
    number int not null,
    post text collate "C" not null,
    hive text collate "C" not null, -- that had it last
    mission text, -- there, once it has ended: its conversation
    conversation text check (conversation in ('new', 'continued')),
    why text not null default '', -- a new one although there was one before: why
    state text check (state in ('done', 'failed', 'cancelled')), -- null: it lives, or waits for another hive
    result text, -- its last answer
    notes text, -- what it and those before it have written down, as its successor gets it
    began_at double precision not null default epoch(),
    ended_at double precision,
    primary key (lineage, number)
);

-- The newest generation that has run to an end: where the conversation lies.
create function last_generation(lineage_name text) returns generations
    language sql stable set search_path = overmind, pg_temp as $$
    select * from generations where lineage = lineage_name and mission is not null order by number desc limit 1
$$;

-- A run of it that waits is for the first minute for the hive where the conversation lies, if it fits it.
create function prefer_conversation(post_id text) returns void
    language plpgsql set search_path = overmind, pg_temp as $$
declare
    p posts;
    there text;
begin
    select * into p from posts where id = post_id;
    select h.name into there from hives h
        where h.name = (select hive from last_generation(p.lineage)) and h.labels @> p.labels and h.slots > 0
            and not h.draining and (p.provider is null or p.provider = any(h.providers))
            and (p.only_hive is null or p.only_hive = h.name);
    update posts set prefers = there, delay = case when there is null then 0 else 60 end, version = version + 1
        where id = post_id and state = 'queued';
end $$;

-- It was claimed: the first time it becomes the next generation, and stays it, whoever has it.
create function number_generation(post_id text) returns void
    language plpgsql set search_path = overmind, pg_temp as $$
declare
    p posts;
    number_ int;
begin
    select * into p from posts where id = post_id;
    if p.generation > 0 then
        update generations set hive = p.hive, conversation = null, why = ''
            where lineage = p.lineage and number = p.generation;
        return;
    end if;
    select coalesce(max(number), 0) + 1 into number_ from generations where lineage = p.lineage;
    insert into generations (lineage, number, post, hive) values (p.lineage, number_, p.id, p.hive);
    delete from generations where lineage = p.lineage and number <= number_ - 100;
    update posts set generation = number_ where id = p.id;
end $$;

-- It has ended: those that wait may begin, at the hive where its conversation lies first. `p` as it was before.
create function end_generation(p posts, state text, result jsonb) returns void
    language plpgsql set search_path = overmind, pg_temp as $$
declare
    one text;
begin
    update generations g set state = end_generation.state, ended_at = epoch(),
        mission = end_generation.result ->> 'mission',
        result = handed_on(p.id, p.fence, 'result.md'), notes = handed_on(p.id, p.fence, 'notes.md')
        where g.lineage = p.lineage and g.number = p.generation;
    for one in select id from posts w where w.lineage = p.lineage and w.state = 'queued' order by id loop
        perform prefer_conversation(one);
    end loop;
    perform news(queue_news(p.pack));
end $$;

create function handed_on(post_id text, fence_ bigint, file text) returns text
    language sql stable set search_path = overmind, pg_temp as $$
    select convert_from(o.body, 'UTF8') from outputs o where o.post = post_id and o.fence = fence_ and o.name = file
$$;

-- Its hive is removed: nothing waits for it any more.
create function prefer_no_more(hive_name text) returns void
    language sql set search_path = overmind, pg_temp as $$
    update posts set prefers = null, delay = 0, version = version + 1 where state = 'queued' and prefers = hive_name
$$;

-- What its holder is to know before it begins a generation: {"number", "last": {"number", "hive", "mission", "state"},
-- "result": {"number", "text"}, "notes"}; null where there was none.
create function generation(session text, post text, fence bigint) returns jsonb
    language plpgsql security definer set search_path = overmind, pg_temp as $$
declare
    p posts;
begin
    if not holds(session, post, fence) then
        perform fail('fenced', format('The claim of %s is over', post));
    end if;
    select * into p from posts where id = generation.post;
    return jsonb_build_object('number', p.generation,
        'last', (select jsonb_build_object('number', g.number, 'hive', g.hive, 'mission', g.mission, 'state', g.state)
            from last_generation(p.lineage) g where g.number is not null),
        'result', (select jsonb_build_object('number', g.number, 'text', g.result) from generations g
            where g.lineage = p.lineage and g.result is not null order by g.number desc limit 1),
        'notes', (select g.notes from generations g
            where g.lineage = p.lineage and g.notes is not null order by g.number desc limit 1));
end $$;

-- How its holder begins it: with a new conversation or with that of the last one, and why so.
create function generation_begins(session text, post text, fence bigint, conversation text, why text) returns jsonb
    language plpgsql security definer set search_path = overmind, pg_temp as $$
declare
    p posts;
begin
    p := held_post(session, post, fence);
    if p.id is null then
        return fenced(post);
    end if;
    update generations g set conversation = generation_begins.conversation, why = left(generation_begins.why, 1000)
        where g.lineage = p.lineage and g.number = p.generation;
    perform record('generation_begun', p.id, p.hive, jsonb_build_object('lineage', p.lineage, 'number', p.generation,
        'conversation', conversation, 'why', why));
    return jsonb_build_object('word', 'ok');
end $$;

create view generation_list with (security_barrier) as
    select lineage, number, post, hive, mission, conversation, why, state, result, notes, began_at, ended_at
    from generations where rank_of(my_role()) >= 1;
