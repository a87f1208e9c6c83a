-- What the record's history in OpenCRVS is to say of an operation that it did not wait for, by a custom action. The words
-- are the pack's and stand in no row. `doubt`: a call may have gone through without an answer.
CREATE TABLE notes (
    event_id       TEXT   NOT NULL,
    action_id      TEXT   NOT NULL,
    outcome        TEXT   NOT NULL,
    state          TEXT   NOT NULL,
    cause          TEXT,
    attempts       BIGINT NOT NULL,
    doubt          BIGINT NOT NULL,
    next_action_at BIGINT,
    lease_owner    TEXT,
    lease_until    BIGINT,
    created_at     BIGINT NOT NULL,
    version        BIGINT NOT NULL,
    PRIMARY KEY (event_id, action_id, outcome)
);
CREATE INDEX notes_due ON notes (next_action_at) WHERE state = 'due';
