-- An index for each kind of work: with tens of thousands of operations that wait to be sent, those to ask about are
-- found without stepping over them. Each condition is written as the claim has it.
DROP INDEX operations_due;
CREATE INDEX operations_to_send ON operations (next_action_at)
    WHERE done = 0 AND state IN ('planned', 'packet_created', 'unknown');
CREATE INDEX operations_to_create ON operations (next_action_at)
    WHERE done = 0 AND state IN ('planned');
CREATE INDEX operations_to_start ON operations (next_action_at)
    WHERE done = 0 AND state IN ('packet_created', 'unknown');
CREATE INDEX operations_to_ask ON operations (next_action_at)
    WHERE done = 0 AND state IN ('triggered', 'awaiting', 'stalled');
