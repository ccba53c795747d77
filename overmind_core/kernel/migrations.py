"""The shape of the database, as the steps that lead there: forward only, never changed once released.

Step n brings a file of schema n-1 to schema n; `user_version` in the file says how far it is. A change of the tables is
one more entry at the end.
"""

from __future__ import annotations

from collections.abc import Sequence

Migration = Sequence[str]
"""Statements that run in one transaction."""

FIRST = (
    # Large and opaque columns stand last, so that a scan of the others doesn't read their overflow pages.
    """CREATE TABLE missions (
        id TEXT PRIMARY KEY NOT NULL,
        name TEXT NOT NULL,
        live INTEGER NOT NULL,
        hidden INTEGER NOT NULL,
        parent TEXT,
        type TEXT NOT NULL,
        provider TEXT NOT NULL,
        status TEXT NOT NULL,
        request TEXT,
        created_at REAL NOT NULL,
        ended_at REAL,
        record TEXT NOT NULL
    )""",
    "CREATE UNIQUE INDEX missions_live_name ON missions (name) WHERE live = 1",
    "CREATE INDEX missions_name ON missions (name)",
    "CREATE INDEX missions_live ON missions (created_at, id) WHERE live = 1",
    "CREATE INDEX missions_parent ON missions (parent) WHERE parent IS NOT NULL",
    "CREATE INDEX missions_ended ON missions (ended_at) WHERE live = 0",
    "CREATE UNIQUE INDEX missions_request ON missions (request) WHERE request IS NOT NULL",
    """CREATE TABLE runs (
        id TEXT PRIMARY KEY NOT NULL,
        mission TEXT NOT NULL REFERENCES missions (id) ON DELETE CASCADE,
        number INTEGER NOT NULL,
        started_at REAL,
        ended_at REAL,
        swept INTEGER NOT NULL,
        state TEXT NOT NULL
    )""",
    "CREATE UNIQUE INDEX runs_mission ON runs (mission, number)",
    "CREATE INDEX runs_open ON runs (id) WHERE ended_at IS NULL OR swept = 0",
    # No reference to missions: what happened to a removed one stays told, and readers that resume find no hole.
    """CREATE TABLE events (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        at REAL NOT NULL,
        type TEXT NOT NULL,
        mission TEXT,
        run TEXT,
        data TEXT NOT NULL
    )""",
    "CREATE INDEX events_mission ON events (mission, seq) WHERE mission IS NOT NULL",
    """CREATE TABLE environments (
        mission TEXT PRIMARY KEY NOT NULL REFERENCES missions (id) ON DELETE CASCADE,
        data TEXT NOT NULL
    )""",
    """CREATE TABLE cursors (
        run TEXT PRIMARY KEY NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
        out INTEGER NOT NULL,
        err INTEGER NOT NULL,
        state TEXT NOT NULL
    )""",
    "CREATE TABLE meta (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL)",
)

AGENTS = (
    """CREATE TABLE agents (
        mission TEXT PRIMARY KEY NOT NULL REFERENCES missions (id) ON DELETE CASCADE,
        state TEXT NOT NULL,
        definition TEXT NOT NULL
    )""",
    """CREATE TABLE messages (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        mission TEXT NOT NULL REFERENCES missions (id) ON DELETE CASCADE,
        state TEXT NOT NULL,
        sender TEXT,
        request TEXT,
        created_at REAL NOT NULL,
        delivered_at REAL,
        ended_at REAL,
        resent INTEGER NOT NULL,
        answer TEXT,
        text TEXT NOT NULL
    )""",
    "CREATE INDEX messages_mission ON messages (mission, id)",
    "CREATE UNIQUE INDEX messages_request ON messages (request) WHERE request IS NOT NULL",
    """CREATE TABLE questions (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        mission TEXT NOT NULL REFERENCES missions (id) ON DELETE CASCADE,
        run TEXT NOT NULL,
        state TEXT NOT NULL,
        asked_at REAL NOT NULL,
        answered_at REAL,
        by TEXT,
        decision TEXT,
        asked TEXT NOT NULL
    )""",
    "CREATE INDEX questions_mission ON questions (mission, id)",
    "CREATE INDEX questions_open ON questions (asked_at, id) WHERE state = 'open'",
    # What a run is to be given to read, until the keeper has taken it.
    """CREATE TABLE inputs (
        run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
        seq INTEGER NOT NULL,
        data BLOB NOT NULL,
        PRIMARY KEY (run, seq)
    )""",
    """CREATE TABLE results (
        mission TEXT PRIMARY KEY NOT NULL REFERENCES missions (id) ON DELETE CASCADE,
        raw TEXT NOT NULL
    )""",
    # No reference to missions: what a removed one cost stays spent.
    """CREATE TABLE costs (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        at REAL NOT NULL,
        mission TEXT NOT NULL,
        name TEXT NOT NULL,
        labels TEXT NOT NULL,
        usd REAL NOT NULL,
        input INTEGER NOT NULL,
        output INTEGER NOT NULL,
        turns INTEGER NOT NULL
    )""",
    "CREATE INDEX costs_at ON costs (at)",
    "CREATE INDEX costs_mission ON costs (mission)",
    """CREATE TABLE seen (
        mission TEXT PRIMARY KEY NOT NULL REFERENCES missions (id) ON DELETE CASCADE,
        seq INTEGER NOT NULL,
        at REAL NOT NULL
    )""",
)

BUDGETS = (
    # Kept as a sum, so that it holds after the missions that spent it were removed.
    """CREATE TABLE budgets (
        mission TEXT PRIMARY KEY NOT NULL REFERENCES missions (id) ON DELETE CASCADE,
        usd REAL NOT NULL,
        warned INTEGER NOT NULL
    )""",
)

PLANS = (
    """CREATE TABLE plans (
        mission TEXT PRIMARY KEY NOT NULL REFERENCES missions (id) ON DELETE CASCADE,
        file TEXT NOT NULL,
        blueprint TEXT NOT NULL
    )""",
    # A row for each agent: a plan of a thousand is not written anew with every step of one.
    """CREATE TABLE plan_nodes (
        mission TEXT NOT NULL REFERENCES plans (mission) ON DELETE CASCADE,
        name TEXT NOT NULL,
        state TEXT NOT NULL,
        PRIMARY KEY (mission, name)
    ) WITHOUT ROWID""",
)

SCHEDULES = (
    # No reference to missions: what was done stays told after the mission that did it is removed.
    """CREATE TABLE quests (
        id TEXT PRIMARY KEY NOT NULL,
        name TEXT NOT NULL,
        live INTEGER NOT NULL,
        status TEXT NOT NULL,
        created_at REAL NOT NULL,
        ended_at REAL,
        record TEXT NOT NULL
    )""",
    "CREATE INDEX quests_name ON quests (name)",
    "CREATE INDEX quests_live ON quests (created_at, id) WHERE live = 1",
    "CREATE INDEX quests_created ON quests (created_at, id)",
    """CREATE TABLE rituals (
        id TEXT PRIMARY KEY NOT NULL,
        name TEXT NOT NULL UNIQUE,
        record TEXT NOT NULL
    )""",
    """CREATE TABLE ritual_environments (
        ritual TEXT PRIMARY KEY NOT NULL REFERENCES rituals (id) ON DELETE CASCADE,
        data TEXT NOT NULL
    )""",
    """CREATE TABLE ritual_runs (
        ritual TEXT NOT NULL REFERENCES rituals (id) ON DELETE CASCADE,
        number INTEGER NOT NULL,
        open INTEGER NOT NULL,
        record TEXT NOT NULL,
        PRIMARY KEY (ritual, number)
    ) WITHOUT ROWID""",
)

ISOLATION = (
    # No reference to missions: a worktree may outlive the mission that worked in it.
    """CREATE TABLE isolations (
        mission TEXT PRIMARY KEY NOT NULL,
        name TEXT NOT NULL,
        source TEXT NOT NULL,
        record TEXT NOT NULL
    )""",
    "CREATE INDEX isolations_name ON isolations (name)",
    """CREATE TABLE ports (
        mission TEXT NOT NULL,
        service TEXT NOT NULL,
        port INTEGER NOT NULL,
        held INTEGER NOT NULL,
        PRIMARY KEY (mission, service)
    ) WITHOUT ROWID""",
    "CREATE UNIQUE INDEX ports_held ON ports (port) WHERE held = 1",
    """CREATE TABLE trusted (
        path TEXT PRIMARY KEY NOT NULL,
        sha256 TEXT NOT NULL,
        at REAL NOT NULL
    )""",
    """CREATE TABLE landings (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        at REAL NOT NULL,
        repository TEXT NOT NULL,
        mission TEXT NOT NULL,
        name TEXT NOT NULL,
        branch TEXT NOT NULL,
        target TEXT NOT NULL,
        before TEXT NOT NULL,
        after TEXT NOT NULL
    )""",
    "CREATE INDEX landings_repository ON landings (repository, id)",
)

MIGRATIONS: Sequence[Migration] = (FIRST, AGENTS, BUDGETS, PLANS, SCHEDULES, ISOLATION)
