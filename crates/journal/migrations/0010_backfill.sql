-- Records out of OpenCRVS's reindex feed, the last version of each, sealed: what a back-fill may read. The feed loses
-- explicit nulls and may be incomplete, so that nothing else is ever taken from it.
CREATE TABLE reindexed (
    event_id    TEXT   NOT NULL PRIMARY KEY,
    received_at BIGINT NOT NULL,
    document    BYTEA  NOT NULL
);
