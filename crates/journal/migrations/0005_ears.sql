-- What the hub was asked last and may come back to verify ('subscribe', 'unsubscribe'), and until when.
ALTER TABLE subscriptions ADD COLUMN asked TEXT;
ALTER TABLE subscriptions ADD COLUMN asked_until BIGINT;

-- Fingerprints (never the secrets) of the secret in that request, and of the one that the hub signs with: the hub
-- keeps its first while a subscription stands.
ALTER TABLE subscriptions ADD COLUMN asked_secret TEXT;
ALTER TABLE subscriptions ADD COLUMN secret TEXT;

-- When the hub ended the subscription at our request: what it published since then did not come.
ALTER TABLE subscriptions ADD COLUMN left_at BIGINT;

-- Answers that should have come by this topic and did not, since it was heard last; and since when it counts as silent.
ALTER TABLE subscriptions ADD COLUMN missed BIGINT NOT NULL DEFAULT 0;
ALTER TABLE subscriptions ADD COLUMN missed_since BIGINT;
ALTER TABLE subscriptions ADD COLUMN silent_since BIGINT;

-- Services of MOSIP that a process leaves alone at present, because they fail. No row: all is well.
CREATE TABLE circuits (
    instance TEXT   NOT NULL,
    service  TEXT   NOT NULL,
    circuit  TEXT   NOT NULL,
    since    BIGINT NOT NULL,
    until    BIGINT,
    seen_at  BIGINT NOT NULL,
    PRIMARY KEY (instance, service)
);

-- When a topic was heard last.
CREATE INDEX inbox_topic ON inbox (topic, id);
