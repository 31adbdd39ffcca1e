/** `topp` in ASCII: the application id of SQLite's header. */
export const applicationId = 0x746f7070;

/**
 * Each brings a file from the version of its place to the next, from an empty file on. A migration that has been
 * published does not change.
 */
export const migrations: readonly string[] = [
  `
  -- Engines that may own runs. Whoever holds one dead marks it as ended.
  CREATE TABLE engines (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    beat INTEGER NOT NULL DEFAULT 0,
    lease_ms INTEGER NOT NULL,
    host TEXT, -- boot and PID namespace
    pid INTEGER NOT NULL,
    process_start TEXT,
    began_at INTEGER NOT NULL,
    removals INTEGER NOT NULL DEFAULT 0, -- runs that others removed while it owned them
    ended_at INTEGER,
    ended_by INTEGER
  );
  CREATE TABLE runs (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    flow TEXT NOT NULL DEFAULT '',
    started_at INTEGER,
    ended_at INTEGER,
    ending TEXT,
    owner INTEGER, -- the engine that alone may append while the run is unsettled
    epoch INTEGER NOT NULL DEFAULT 1, -- rises whenever the owner changes
    losses INTEGER NOT NULL DEFAULT 0, -- how often its process was lost since a task settled
    set_aside INTEGER NOT NULL DEFAULT 0,
    claimed_at INTEGER
  );
  CREATE INDEX runs_by_flow ON runs (flow);
  CREATE INDEX unsettled_runs ON runs (n) WHERE ended_at IS NULL;
  CREATE INDEX unsettled_runs_by_flow ON runs (flow) WHERE ended_at IS NULL;
  CREATE INDEX unowned_runs ON runs (flow) WHERE ended_at IS NULL AND owner IS NULL;
  -- A row for each append. One number as its key, since only so SQLite keeps long rows close together.
  CREATE TABLE journal (
    place INTEGER PRIMARY KEY, -- run * 2^32 + seq of the last entry
    run INTEGER GENERATED ALWAYS AS (place >> 32) VIRTUAL,
    seq INTEGER GENERATED ALWAYS AS (place & 4294967295) VIRTUAL,
    epoch INTEGER NOT NULL,
    at INTEGER NOT NULL, -- of the first entry; steps count their milliseconds from it
    text TEXT NOT NULL
  );
  -- Runs whose journals are still to be deleted.
  CREATE TABLE removed_runs (n INTEGER PRIMARY KEY);
  -- What other processes ask of the engine that owns a run.
  CREATE TABLE requests (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    run INTEGER NOT NULL,
    owner INTEGER NOT NULL,
    text TEXT NOT NULL,
    asked_at INTEGER NOT NULL,
    answer TEXT
  );
  -- The journals for people: SELECT * FROM entries WHERE run = '…';
  CREATE VIEW entries AS
    SELECT
      runs.id AS run,
      journal.seq - json_array_length(journal.text) + 1 + item.key AS seq,
      strftime('%Y-%m-%d %H:%M:%f', CASE item.type
        WHEN 'array' THEN journal.at + json_extract(item.value, '$[2]')
        ELSE json_extract(item.value, '$.at') END / 1000.0, 'unixepoch') AS time,
      CASE item.type
        WHEN 'array' THEN 'task.' || rtrim(json_extract(item.value, '$[0]'), '*')
        ELSE json_extract(item.value, '$.type') END AS type,
      json_extract(item.value, CASE item.type WHEN 'array' THEN '$[1]' ELSE '$.taskId' END) AS task,
      json_extract(item.value, CASE item.type WHEN 'array' THEN '$[3]' ELSE '$.attempt' END) AS attempt,
      CASE item.type
        WHEN 'array' THEN json_extract(item.value, '$[4]')
        ELSE json_remove(item.value, '$.type', '$.at', '$.taskId', '$.attempt') END AS value,
      journal.epoch AS epoch
    FROM runs
    JOIN journal ON journal.place BETWEEN (runs.n << 32) AND (runs.n << 32) + 4294967295
    JOIN json_each(journal.text) AS item;
  `,
  `
  -- Outlines of flows, for a later version to say how it differs. Runs name the hash of their flow.
  CREATE TABLE flows (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    hash TEXT NOT NULL UNIQUE,
    flow TEXT NOT NULL,
    outline TEXT NOT NULL,
    kept_at INTEGER NOT NULL
  );
  `,
  `
  -- Child runs, apart from roots, which they must not slow down. They belong to whoever owns their root.
  CREATE TABLE children (
    n INTEGER PRIMARY KEY AUTOINCREMENT, -- from 2^31 on, for roots have the numbers below
    id TEXT NOT NULL,
    root INTEGER NOT NULL, -- number of the root; a child whose root is gone is still to be deleted
    flow TEXT NOT NULL DEFAULT '',
    started_at INTEGER,
    ended_at INTEGER,
    ending TEXT
  );
  INSERT INTO sqlite_sequence (name, seq) VALUES ('children', 2147483647);
  CREATE UNIQUE INDEX children_by_id ON children (id, root);
  CREATE INDEX children_by_root ON children (root);
  DROP VIEW entries;
  -- The journals for people: SELECT * FROM entries WHERE run = '…';
  CREATE VIEW entries AS
    SELECT
      known.id AS run,
      journal.seq - json_array_length(journal.text) + 1 + item.key AS seq,
      strftime('%Y-%m-%d %H:%M:%f', CASE item.type
        WHEN 'array' THEN journal.at + json_extract(item.value, '$[2]')
        ELSE json_extract(item.value, '$.at') END / 1000.0, 'unixepoch') AS time,
      CASE item.type
        WHEN 'array' THEN 'task.' || rtrim(json_extract(item.value, '$[0]'), '*')
        ELSE json_extract(item.value, '$.type') END AS type,
      json_extract(item.value, CASE item.type WHEN 'array' THEN '$[1]' ELSE '$.taskId' END) AS task,
      json_extract(item.value, CASE item.type WHEN 'array' THEN '$[3]' ELSE '$.attempt' END) AS attempt,
      CASE item.type
        WHEN 'array' THEN json_extract(item.value, '$[4]')
        ELSE json_remove(item.value, '$.type', '$.at', '$.taskId', '$.attempt') END AS value,
      journal.epoch AS epoch
    FROM (
      SELECT n, id FROM runs
      UNION ALL
      SELECT children.n, children.id FROM children JOIN runs ON runs.n = children.root
    ) AS known
    JOIN journal ON journal.place BETWEEN (known.n << 32) AND (known.n << 32) + 4294967295
    JOIN json_each(journal.text) AS item;
  `,
];
