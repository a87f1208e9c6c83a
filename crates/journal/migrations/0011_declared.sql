-- What the rule writes into the record when the action is accepted, sealed: fields of the form and their values. None for
-- nearly all.
ALTER TABLE civil_events ADD COLUMN declared BYTEA;
