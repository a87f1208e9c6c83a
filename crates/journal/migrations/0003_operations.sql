-- Operations about one person, also the finished ones: by which change an identity can be found again.
CREATE INDEX operations_about ON operations (subject, ordinal) WHERE subject IS NOT NULL;

-- Finished operations that a later answer of MOSIP contradicts: a person looks at them.
CREATE INDEX operations_flagged ON operations (cause, ordinal) WHERE done = 1 AND cause IS NOT NULL;
