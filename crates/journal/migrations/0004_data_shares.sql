-- Credentials that were fetched from a data share, which is used up by it: kept (sealed) before they are opened.
CREATE TABLE data_shares (
    inbox_id   BIGINT NOT NULL PRIMARY KEY REFERENCES inbox (id),
    fetched_at BIGINT NOT NULL,
    content    BYTEA  NOT NULL
);
