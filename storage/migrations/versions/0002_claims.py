"""The claim as a function of the database, two indexes that keep its cost the same at any size, and
the news for workers that wait for a trial.

Stock Optuna neither sees nor needs the indexes on its table.
"""

from alembic import op

revision = "0002"
down_revision = "0001"

INDEXES = (
    # The next trial's number is the largest one and 1.
    "CREATE INDEX IF NOT EXISTS search_numbers ON trials (study_id, number)",
    # The queue and the running trials, however many others have ended.
    """CREATE INDEX IF NOT EXISTS search_open ON trials (study_id, state, number)
        WHERE state IN ('RUNNING', 'WAITING')""",
)

# By this a claim knows the workers of another search: an older or a newer one.
REVISION = "ALTER TABLE search_service.workers ADD COLUMN revision text"

# In the database, so that its lock on the study never waits for a client's answer.
CLAIM = """
CREATE FUNCTION search_service.claim(
    of_study text, by_worker text, for_seconds double precision,
    OUT outcome text, OUT claimed_trial integer, OUT claimed_number integer, OUT new_attempt integer
) LANGUAGE plpgsql SET lock_timeout = '5s' AS $$
DECLARE
    the_study integer;
    is_stopped boolean;
    budget integer;
    next_number integer;
    waiting bigint;
    known_revision text;
BEGIN
    -- A claim that saw the trials as they were before it waited would give a number twice.
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        outcome := 'isolation'; RETURN;
    END IF;
    -- The lock that stock Optuna takes to make a trial: its numbers and ours never collide.
    SELECT s.study_id INTO the_study FROM studies s WHERE s.study_name = of_study FOR NO KEY UPDATE;
    SELECT s.stop IS NOT NULL, s.trials INTO is_stopped, budget
      FROM search_service.studies s WHERE s.study_id = the_study;
    IF NOT FOUND THEN outcome := 'unknown study'; RETURN; END IF;
    UPDATE search_service.workers w SET seen_at = now() WHERE w.worker_id = by_worker
    RETURNING w.revision INTO known_revision;
    IF NOT FOUND THEN outcome := 'unknown worker'; RETURN; END IF;
    -- After the update, which waits for a migration that is at work.
    IF known_revision IS DISTINCT FROM (SELECT version_num FROM search_service.alembic_version)
    THEN outcome := 'other tables'; RETURN; END IF;
    IF is_stopped THEN outcome := 'stopped'; RETURN; END IF;

    -- First a running trial that no other worker holds. A worker runs one trial at a time: if it
    -- holds one when it claims, the answer to its last claim was lost, and it gets that one again.
    SELECT t.trial_id, t.number INTO claimed_trial, claimed_number FROM trials t
     WHERE t.study_id = the_study AND t.state = 'RUNNING' AND NOT EXISTS (
           SELECT FROM search_service.attempts a
            WHERE a.trial_id = t.trial_id AND a.worker_id <> by_worker
              AND search_service.is_live(a))
     ORDER BY t.number LIMIT 1 FOR NO KEY UPDATE;

    IF claimed_trial IS NULL THEN
        SELECT coalesce(max(t.number) + 1, 0) INTO next_number
          FROM trials t WHERE t.study_id = the_study;
        SELECT count(*) INTO waiting
          FROM trials t WHERE t.study_id = the_study AND t.state = 'WAITING';
        IF next_number - waiting >= budget THEN
            PERFORM FROM trials t WHERE t.study_id = the_study AND t.state = 'RUNNING' LIMIT 1;
            outcome := CASE WHEN FOUND THEN 'wait' ELSE 'done' END;
            -- The last trials may have ended at one moment, or by a person: then no end was told.
            IF outcome = 'done' THEN PERFORM search_service.wake(the_study); END IF;
            RETURN;
        END IF;
        IF waiting > 0 THEN
            -- Then the queue; locked, since a dashboard may fail a queued trial at any moment.
            SELECT t.trial_id, t.number INTO claimed_trial, claimed_number FROM trials t
             WHERE t.study_id = the_study AND t.state = 'WAITING'
             ORDER BY t.number LIMIT 1 FOR NO KEY UPDATE;
            IF NOT FOUND THEN outcome := 'wait'; RETURN; END IF;
            UPDATE trials t
               SET state = 'RUNNING', datetime_start = timezone('UTC', clock_timestamp())
             WHERE t.trial_id = claimed_trial;
        ELSE
            INSERT INTO trials (number, study_id, state, datetime_start)
            VALUES (next_number, the_study, 'RUNNING', timezone('UTC', clock_timestamp()))
            RETURNING trial_id, number INTO claimed_trial, claimed_number;
        END IF;
    END IF;

    -- The attempt before ended at its last beat, as far as is known.
    UPDATE search_service.attempts a SET ended_at = a.beat_at, reason = 'lost'
     WHERE a.trial_id = claimed_trial AND a.ended_at IS NULL
       AND NOT (a.worker_id <> by_worker AND search_service.is_live(a));
    -- The unique index of open attempts decides: its holder may have renewed the lease just now.
    INSERT INTO search_service.attempts (trial_id, attempt, worker_id, lease_seconds)
    SELECT claimed_trial, coalesce(max(a.attempt), 0) + 1, by_worker, for_seconds
      FROM search_service.attempts a WHERE a.trial_id = claimed_trial
        ON CONFLICT DO NOTHING RETURNING attempt INTO new_attempt;
    outcome := CASE WHEN new_attempt IS NULL THEN 'wait' ELSE 'claimed' END;
END $$"""

# A lease counts from the server's start at the earliest: an outage makes no worker look dead.
IS_LIVE = """
CREATE FUNCTION search_service.is_live(a search_service.attempts) RETURNS boolean
LANGUAGE sql VOLATILE AS $$
    SELECT a.ended_at IS NULL AND greatest(a.beat_at, pg_postmaster_start_time())
           + a.lease_seconds * interval '1 second' > clock_timestamp()
$$"""

# To the workers that wait for a trial of the study (storage/engine/waiting.py).
WAKE = """
CREATE FUNCTION search_service.wake(of_study integer) RETURNS void
LANGUAGE sql AS $$ SELECT pg_notify('search_study_' || of_study, '') $$"""

# After a trial's end. Workers wait only once every trial of the budget has begun, and then learn
# from an end no more than that it was the last one. Two that end at the same moment do not see each
# other: so the last eight are told. All other ends are not: NOTIFY makes commits wait in a line.
# Where even more end at the same moment, the first claim that finds no trial left wakes the others.
WAKE_AT_END = """
CREATE FUNCTION search_service.wake_at_end(of_study integer) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT max(t.number) + 1 FROM trials t WHERE t.study_id = of_study)
       >= (SELECT s.trials FROM search_service.studies s WHERE s.study_id = of_study)
       AND (SELECT count(*) FROM (
            SELECT FROM trials t WHERE t.study_id = of_study AND t.state = 'RUNNING' LIMIT 8) o) < 8
    THEN PERFORM search_service.wake(of_study); END IF;
END $$"""

# Only its owner may give a table an index. Without them every claim reads the study's trials.
IS_OWNER = "SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = 'trials'::regclass"


def upgrade() -> None:
    """Add the column and the functions, and the indexes where Optuna's tables are ours."""
    if op.get_bind().exec_driver_sql(IS_OWNER).scalar_one():
        for index in INDEXES:
            op.execute(index)
    for statement in (REVISION, IS_LIVE, CLAIM, WAKE, WAKE_AT_END):
        op.execute(statement)
