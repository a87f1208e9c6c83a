-- Records whose state in OpenCRVS and in the journal seem to differ, until it is known why: OpenCRVS says that they wait
-- and the journal does not, or the other way round, or they may wait without saying so.
CREATE TABLE sightings (
    event_id     TEXT   NOT NULL PRIMARY KEY,
    tracking_id  TEXT   NOT NULL,
    event_type   TEXT   NOT NULL,
    kind         TEXT   NOT NULL,
    state        TEXT   NOT NULL,
    cause        TEXT,
    cause_detail TEXT,
    first_seen   BIGINT NOT NULL,
    last_seen    BIGINT NOT NULL,
    next_read_at BIGINT NOT NULL,
    reads        BIGINT NOT NULL
);
CREATE INDEX sightings_due ON sightings (next_read_at);
CREATE INDEX sightings_state ON sightings (state);

-- How looking through OpenCRVS went last, and what it has cost. One row.
CREATE TABLE lookthroughs (
    id           BIGINT NOT NULL PRIMARY KEY,
    began_at     BIGINT NOT NULL,
    ended_at     BIGINT,
    completed_at BIGINT,
    swept_at     BIGINT,
    cause        TEXT,
    frozen       BIGINT NOT NULL,
    searches     BIGINT NOT NULL,
    reads        BIGINT NOT NULL
);
