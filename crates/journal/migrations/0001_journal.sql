-- The journal. One text for SQLite and PostgreSQL: TEXT, BIGINT and BYTEA mean the same on both.
-- Instants are microseconds since the epoch, UTC. Columns `document`, `token`, `packet`, `issued`
-- and `body` (but of audit_leaves) hold AES-256-GCM blobs bound to their row.

-- Compiled country packs, by the digest of their canonical form, so that any decision can be re-evaluated.
CREATE TABLE rule_sets (
    digest    TEXT   NOT NULL PRIMARY KEY,
    country   TEXT   NOT NULL,
    canonical TEXT   NOT NULL,
    loaded_at BIGINT NOT NULL
);

-- What entered the engine, once, and what was decided about it.
CREATE TABLE civil_events (
    event_id            TEXT   NOT NULL,
    action_id           TEXT   NOT NULL,
    ordinal             BIGINT NOT NULL UNIQUE,
    tracking_id         TEXT   NOT NULL,
    event_type          TEXT   NOT NULL,
    action_type         TEXT   NOT NULL,
    custom_action       TEXT,
    request_id          TEXT,
    origin              TEXT   NOT NULL,
    received_at         BIGINT NOT NULL,
    action_at           BIGINT NOT NULL,
    ruleset             TEXT   NOT NULL REFERENCES rule_sets (digest),
    rule                TEXT,
    effect              TEXT   NOT NULL,
    sentence            TEXT   NOT NULL,
    answer              TEXT   NOT NULL,
    answer_reason       TEXT,
    registration_number TEXT   UNIQUE,
    record_number       TEXT,
    document            BYTEA  NOT NULL,
    token               BYTEA,
    token_expires_at    BIGINT,
    traceparent         TEXT,
    PRIMARY KEY (event_id, action_id)
);
CREATE INDEX civil_events_tracking_id ON civil_events (tracking_id);

-- What a decision asks of MOSIP, and how far it got.
CREATE TABLE operations (
    event_id       TEXT   NOT NULL,
    action_id      TEXT   NOT NULL,
    ordinal        BIGINT NOT NULL UNIQUE,
    operation      TEXT   NOT NULL,
    respond        TEXT   NOT NULL,
    aid            TEXT   UNIQUE,
    subject        TEXT,
    state          TEXT   NOT NULL,
    cause          TEXT,
    cause_detail   TEXT,
    next_action_at BIGINT,
    attempts       BIGINT NOT NULL,
    step_attempts  BIGINT NOT NULL,
    lease_owner    TEXT,
    lease_until    BIGINT,
    deadline_at    BIGINT,
    triggered_at   BIGINT,
    created_at     BIGINT NOT NULL,
    updated_at     BIGINT NOT NULL,
    version        BIGINT NOT NULL,
    done           BIGINT NOT NULL,
    traceparent    TEXT,
    packet         BYTEA,
    issued         BYTEA,
    PRIMARY KEY (event_id, action_id),
    FOREIGN KEY (event_id, action_id) REFERENCES civil_events (event_id, action_id)
);
CREATE INDEX operations_due ON operations (next_action_at) WHERE done = 0;
CREATE INDEX operations_lane ON operations (event_id, ordinal) WHERE done = 0;
CREATE INDEX operations_subject ON operations (subject, ordinal) WHERE done = 0;
CREATE INDEX operations_deadline ON operations (deadline_at) WHERE done = 0;
CREATE INDEX operations_open ON operations (ordinal) WHERE done = 0;
CREATE INDEX operations_state ON operations (state, ordinal);

-- Answers that are owed to OpenCRVS.
CREATE TABLE confirmations (
    event_id       TEXT   NOT NULL,
    action_id      TEXT   NOT NULL,
    verdict        TEXT   NOT NULL,
    body           BYTEA  NOT NULL,
    state          TEXT   NOT NULL,
    cause          TEXT,
    attempts       BIGINT NOT NULL,
    next_action_at BIGINT,
    lease_owner    TEXT,
    lease_until    BIGINT,
    created_at     BIGINT NOT NULL,
    version        BIGINT NOT NULL,
    PRIMARY KEY (event_id, action_id),
    FOREIGN KEY (event_id, action_id) REFERENCES civil_events (event_id, action_id)
);
CREATE INDEX confirmations_due ON confirmations (next_action_at) WHERE state = 'due';

-- What MOSIP's hub delivered: stored before it is answered, understood afterwards.
CREATE TABLE inbox (
    id             BIGINT NOT NULL PRIMARY KEY,
    delivery_id    TEXT   NOT NULL UNIQUE,
    topic          TEXT   NOT NULL,
    received_at    BIGINT NOT NULL,
    body           BYTEA  NOT NULL,
    state          TEXT   NOT NULL,
    aid            TEXT,
    cause          TEXT,
    attempts       BIGINT NOT NULL,
    next_action_at BIGINT,
    lease_owner    TEXT,
    lease_until    BIGINT,
    version        BIGINT NOT NULL
);
CREATE INDEX inbox_due ON inbox (next_action_at);
CREATE INDEX inbox_aid ON inbox (aid);

-- What is still to be published. Deleted once it is.
CREATE TABLE outbox (
    id         BIGINT NOT NULL PRIMARY KEY,
    topic      TEXT   NOT NULL,
    key        TEXT   NOT NULL,
    kind       TEXT   NOT NULL,
    value      BYTEA,
    leaf_index BIGINT,
    headers    TEXT   NOT NULL,
    created_at BIGINT NOT NULL
);

-- The Merkle log: one row per leaf, never changed.
CREATE TABLE audit_leaves (
    leaf_index BIGINT NOT NULL PRIMARY KEY,
    event_id   TEXT,
    at         BIGINT NOT NULL,
    body       TEXT   NOT NULL,
    hash       BYTEA  NOT NULL
);
CREATE INDEX audit_leaves_event ON audit_leaves (event_id, leaf_index);

-- Where the log ends. Whoever updates this row holds its lock until commit: indexes follow commit order.
CREATE TABLE audit_head (
    id          BIGINT NOT NULL PRIMARY KEY,
    next_index  BIGINT NOT NULL,
    next_outbox BIGINT NOT NULL
);
INSERT INTO audit_head (id, next_index, next_outbox) VALUES (1, 0, 1);

-- The next ordinal of civil events and inbox entries, under the same regime.
CREATE TABLE ordinals (
    id   BIGINT NOT NULL PRIMARY KEY,
    next BIGINT NOT NULL
);
INSERT INTO ordinals (id, next) VALUES (1, 1);

-- Subscriptions at MOSIP's hub.
CREATE TABLE subscriptions (
    topic        TEXT   NOT NULL PRIMARY KEY,
    callback     TEXT   NOT NULL,
    state        TEXT   NOT NULL,
    cause        TEXT,
    requested_at BIGINT NOT NULL,
    verified_at  BIGINT,
    expires_at   BIGINT,
    updated_at   BIGINT NOT NULL
);

-- Roles that one process holds at a time, such as publishing the outbox.
CREATE TABLE leases (
    name       TEXT   NOT NULL PRIMARY KEY,
    owner      TEXT   NOT NULL,
    expires_at BIGINT NOT NULL
);
