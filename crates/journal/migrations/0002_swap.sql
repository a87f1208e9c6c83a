-- What rules in evaluate mode would have done: a JSON list of {effect, rule}, in file order; NULL when none matched.
ALTER TABLE civil_events ADD COLUMN would_have TEXT;

-- When a rule set last began to decide. The newest one goes on when the pack in the folder cannot be used at a start.
ALTER TABLE rule_sets ADD COLUMN began_at BIGINT;

-- The processes that decide, and the rule set that each runs. A process removes its row when it stops in order.
CREATE TABLE deciders (
    instance TEXT   NOT NULL PRIMARY KEY,
    ruleset  TEXT   NOT NULL REFERENCES rule_sets (digest),
    since    BIGINT NOT NULL,
    seen_at  BIGINT NOT NULL,
    refused  TEXT
);
