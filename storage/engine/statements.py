"""The SQL of every write to a trial: one message each, which happens whole or not at all.

              claim                      draw, record, beat
    WAITING ─────────▶ RUNNING, held by ◀─────────────────┐
    (none)  ─────────▶ attempt n ─────────────────────────┘
                        │   ▲    │
       hand back, end   │   │    │ tell
       leases, silence  ▼   │    ▼
               RUNNING, held by  COMPLETE, PRUNED or FAIL
               nobody ──claim, attempt n + 1
                  │
                  └─▶ FAIL, where it is the third deadly end in a row without a new epoch between

A statement touches the attempt's row before it writes anything else, so that the fence and the
write are one: an attempt that has ended writes nothing. Rows are locked in one order everywhere:
study, trial, attempt. The claim is a function of the database (migration 0002), so that its lock
on the study never waits for a client. Optuna's own tables are written as Optuna 5.0 writes them.
What changes a trial for other trials' samplers and pruners (claim, draw, every end) leaves its
transaction's number on the attempt, by which readers find it (storage/engine/changes.py). What
frees a trial, or ends one of the last, wakes the workers that wait (storage/engine/waiting.py).
"""

from sqlalchemy import bindparam, text

from storage.engine.results import CLOCK_ENDING
from storage.tables import Words

DETAIL = bindparam("detail", type_=Words)  # a sentence, in which any character may stand

CLAIM = text("SELECT * FROM search_service.claim(:study, :worker, :seconds)")

SESSION = text("""SELECT quote_ident(current_user), quote_ident(current_database()),
       current_setting('transaction_isolation')""")

TOUCH = "touched = pg_current_xact_id()"

# The number alone would not do: a database that lost its last moments, as a standby that takes over
# may, gives it to the next worker as well.
ATTEMPT = "a.trial_id = :trial AND a.attempt = :attempt AND a.worker_id = :worker"

# The attempt with its lease renewed; no row when it or the trial has ended.
RENEWED = f"""held AS (
    UPDATE search_service.attempts a SET beat_at = clock_timestamp(){{also}}
      FROM trials t JOIN search_service.studies s ON s.study_id = t.study_id
     WHERE {ATTEMPT} AND a.ended_at IS NULL
       AND t.trial_id = a.trial_id AND t.state = 'RUNNING'
    RETURNING a.trial_id, a.attempt, s.stop)"""
HELD = RENEWED.format(also="")
HELD_AND_TOUCHED = RENEWED.format(also=f", {TOUCH}")

# The worker's row is locked before the attempt's, as in a claim. The readings are true of the
# worker, whoever has its trial: they need no fence.
BEAT_WITH_READINGS = text(f"""WITH noted AS (
    UPDATE search_service.workers SET readings = CAST(:readings AS json)
     WHERE worker_id = :worker RETURNING worker_id
), {HELD.replace("AND a.ended_at", "AND (SELECT count(*) FROM noted) >= 0 AND a.ended_at")}
SELECT stop FROM held""")
BEAT = text(f"WITH {HELD} SELECT stop FROM held")

# Values that were drawn before are not among these. One that stands there is of another program,
# which began this trial by `ask`: the trial is trained with ours, so that ours is stored.
# The first trial with some values has their digest. A draw that must be new and finds the digest
# taken, by a trial that its sampler had not seen, writes nothing but the lease.
DRAW = text(f"""WITH {HELD_AND_TOUCHED}, first AS (
    INSERT INTO search_service.draws (trial_id, way, why, digest)
    SELECT held.trial_id, :way, CAST(:why AS json), :digest
      FROM held WHERE CAST(:way AS text) IS NOT NULL
        ON CONFLICT DO NOTHING RETURNING trial_id
), later AS (
    INSERT INTO search_service.draws (trial_id, way, why)
    SELECT held.trial_id, :way, CAST(:why AS json)
      FROM held WHERE CAST(:way AS text) IS NOT NULL
       AND NOT :is_new AND NOT EXISTS (SELECT FROM first)
        ON CONFLICT DO NOTHING
), drawn AS (
    INSERT INTO trial_params (trial_id, param_name, param_value, distribution_json)
    SELECT held.trial_id, n.name, n.value, n.distribution
      FROM held, unnest(CAST(:names AS text[]), CAST(:params AS double precision[]),
                        CAST(:distributions AS text[])) WITH ORDINALITY
                 AS n (name, value, distribution, place)
     WHERE NOT :is_new OR EXISTS (SELECT FROM first)
     ORDER BY n.place
        ON CONFLICT (trial_id, param_name) DO UPDATE
       SET param_value = excluded.param_value, distribution_json = excluded.distribution_json
)
SELECT stop, :is_new AND NOT EXISTS (SELECT FROM first) AS is_taken FROM held""")

REPORTED = """reported AS (
    INSERT INTO trial_intermediate_values
           (trial_id, step, intermediate_value, intermediate_value_type)
    SELECT written.trial_id, :epoch, :finite, CAST(:kind AS trialintermediatevaluetype)
      FROM written
        ON CONFLICT (trial_id, step) DO UPDATE
       SET intermediate_value = excluded.intermediate_value,
           intermediate_value_type = excluded.intermediate_value_type
)"""
RECORD = text(f"""WITH {HELD}, written AS (
    INSERT INTO search_service.epochs (trial_id, epoch, attempt, value, metrics, seconds, images)
    SELECT held.trial_id, :epoch, held.attempt, :value, CAST(:metrics AS json), :seconds, :images
      FROM held
        ON CONFLICT DO NOTHING RETURNING trial_id
), {REPORTED}
SELECT held.stop, EXISTS (SELECT FROM written) AS is_new FROM held""")

# Of code that is not deterministic. An epoch that an earlier attempt recorded with other numbers
# belongs to another course of training: it moves to the replaced epochs, with all that such
# attempts recorded behind it. A statement reads rows as they were before it, so that `replaced`
# finds the one that `written` changes.
OF_EPOCH = "trial_id, epoch, attempt, value, metrics, seconds, images, recorded_at"
REPEATABLE = f"""(SELECT jsonb_object_agg(key, value)
              FROM jsonb_each(CAST({{row}}.metrics AS jsonb))
             WHERE right(key, {len(CLOCK_ENDING)}) <> '{CLOCK_ENDING}')"""
MOVED = f"""moved AS (
    INSERT INTO search_service.replaced_epochs ({OF_EPOCH}) SELECT {OF_EPOCH} FROM behind
), cut AS (
    DELETE FROM trial_intermediate_values i USING behind
     WHERE i.trial_id = behind.trial_id AND i.step = behind.epoch
)"""
RECORD_ANEW = text(f"""WITH {HELD}, written AS (
    INSERT INTO search_service.epochs AS known
           (trial_id, epoch, attempt, value, metrics, seconds, images)
    SELECT held.trial_id, :epoch, held.attempt, :value, CAST(:metrics AS json), :seconds, :images
      FROM held
        ON CONFLICT (trial_id, epoch) DO UPDATE
       SET attempt = excluded.attempt, value = excluded.value, metrics = excluded.metrics,
           seconds = excluded.seconds, images = excluded.images, recorded_at = excluded.recorded_at
     WHERE known.attempt < excluded.attempt
       AND (known.value <> excluded.value OR {REPEATABLE.format(row="known")}
            IS DISTINCT FROM {REPEATABLE.format(row="excluded")})
    RETURNING trial_id, attempt
), replaced AS (
    INSERT INTO search_service.replaced_epochs ({OF_EPOCH})
    SELECT {OF_EPOCH} FROM search_service.epochs
     WHERE trial_id = (SELECT trial_id FROM written) AND epoch = :epoch
), behind AS (
    DELETE FROM search_service.epochs e USING written
     WHERE e.trial_id = written.trial_id AND e.epoch > :epoch AND e.attempt < written.attempt
    RETURNING e.*
), {MOVED}, {REPORTED}
SELECT held.stop, EXISTS (SELECT FROM written) AS is_new FROM held""")

STORED = text("""SELECT attempt, value, metrics FROM search_service.epochs
 WHERE trial_id = :trial AND epoch = :epoch""")

NOTE_FILE = text(f"""WITH {HELD}, noted AS (
    INSERT INTO search_service.files (artifact_id, trial_id, attempt, name)
    SELECT :artifact_id, held.trial_id, held.attempt, :name FROM held ON CONFLICT DO NOTHING
)
SELECT stop FROM held""")

# A pruned trial gets its last value, as in Optuna.
TELL = text(f"""WITH alive AS (
    SELECT trial_id FROM trials
     WHERE trial_id = :trial AND state = 'RUNNING' FOR NO KEY UPDATE
), ended AS (
    UPDATE search_service.attempts a
       SET ended_at = clock_timestamp(), reason = :outcome, detail = :detail, "where" = :where,
           ends_trial = true, {TOUCH}
      FROM alive
     WHERE a.trial_id = alive.trial_id AND {ATTEMPT} AND a.ended_at IS NULL
    RETURNING a.trial_id
), final AS (
    UPDATE trials t
       SET state = CAST(:state AS trialstate),
           datetime_complete = timezone('UTC', clock_timestamp())
      FROM ended WHERE t.trial_id = ended.trial_id RETURNING t.trial_id, t.study_id
), given AS (
    SELECT final.trial_id, CASE WHEN :state <> 'PRUNED' THEN CAST(:value AS double precision) ELSE (
           SELECT e.value FROM search_service.epochs e
            WHERE e.trial_id = final.trial_id ORDER BY e.epoch DESC LIMIT 1) END AS value
      FROM final
), valued AS (
    INSERT INTO trial_values (trial_id, objective, value, value_type)
    SELECT trial_id, 0,
           CASE WHEN value IN ('Infinity', '-Infinity') THEN NULL ELSE value END,
           CAST(CASE value WHEN 'Infinity' THEN 'INF_POS' WHEN '-Infinity' THEN 'INF_NEG'
                ELSE 'FINITE' END AS trialvaluetype)
      FROM given WHERE value <> 'NaN'
        ON CONFLICT (trial_id, objective) DO UPDATE
       SET value = excluded.value, value_type = excluded.value_type
), linked AS (
    INSERT INTO trial_system_attributes (trial_id, key, value_json)
    SELECT final.trial_id, n.key, n.value
      FROM final, unnest(CAST(:links AS text[]), CAST(:link_values AS text[])) AS n (key, value)
        ON CONFLICT (trial_id, key) DO UPDATE SET value_json = excluded.value_json
), shown AS (
    INSERT INTO trial_user_attributes (trial_id, key, value_json)
    SELECT final.trial_id, n.key, n.value
      FROM final, unnest(CAST(:shown AS text[]), CAST(:shown_values AS text[])) AS n (key, value)
        ON CONFLICT (trial_id, key) DO UPDATE SET value_json = excluded.value_json
), behind AS (
    DELETE FROM search_service.epochs e USING final
     WHERE e.trial_id = final.trial_id AND e.epoch > CAST(:last_epoch AS integer)
    RETURNING e.*
), {MOVED}
SELECT count(*) AS ended, count(search_service.wake_at_end(study_id)) AS woken
  FROM final""").bindparams(DETAIL, bindparam("where", type_=Words))

# The attempts that end without their trials: `of_attempts` says which. Two statements in one
# message, which Postgres runs as one transaction. The second one sees all that was written before
# the first one had its locks, so that no epoch of a dying worker is missed. `recorder` is the last
# attempt that got further than all before it: to start over, and die again, is no progress.
END = """SELECT FROM trials t JOIN search_service.attempts a ON a.trial_id = t.trial_id
 WHERE a.ended_at IS NULL AND {of_attempts}
 ORDER BY t.trial_id FOR NO KEY UPDATE OF t, a;
WITH ending AS (
    SELECT a.trial_id, t.study_id, a.attempt, t.state = 'RUNNING' AS runs,
           coalesce((SELECT e.attempt FROM (
                     SELECT epoch, attempt FROM search_service.epochs WHERE trial_id = a.trial_id
                     UNION ALL
                     SELECT epoch, attempt FROM search_service.replaced_epochs
                      WHERE trial_id = a.trial_id) e
                     ORDER BY e.epoch DESC, e.attempt LIMIT 1), 0) AS recorder
      FROM search_service.attempts a JOIN trials t ON t.trial_id = a.trial_id
     WHERE a.ended_at IS NULL AND {of_attempts}
), died AS (
    SELECT trial_id, array_agg(reason ORDER BY attempt) AS reasons FROM (
        SELECT a.trial_id, a.attempt, a.reason
          FROM search_service.attempts a JOIN ending ON ending.trial_id = a.trial_id
         WHERE a.attempt > ending.recorder AND a.reason = ANY(:deadly)
        UNION ALL
        SELECT trial_id, attempt, :reason FROM ending
         WHERE attempt > recorder AND :reason = ANY(:deadly)) deaths
     GROUP BY trial_id
), judged AS (
    SELECT ending.trial_id, ending.study_id, ending.attempt, died.reasons,
           cardinality(died.reasons) AS deaths,
           ending.runs AND coalesce(cardinality(died.reasons) >= :most, false) AS gives_up
      FROM ending LEFT JOIN died ON died.trial_id = ending.trial_id
), ended AS (
    UPDATE search_service.attempts a
       SET ended_at = clock_timestamp(), ends_trial = judged.gives_up, {touch},
           reason = CASE WHEN judged.gives_up THEN judged.reasons[judged.deaths] ELSE :reason END,
           detail = CASE WHEN judged.gives_up THEN concat_ws('; ', format(
                    '%s attempts ended without a new epoch between: %s',
                    judged.deaths, array_to_string(judged.reasons, ', ')), :detail)
                    ELSE :detail END
      FROM judged
     WHERE a.trial_id = judged.trial_id AND a.attempt = judged.attempt AND a.ended_at IS NULL
    RETURNING a.trial_id, judged.study_id, a.ends_trial
), failed AS (
    UPDATE trials t SET state = 'FAIL', datetime_complete = timezone('UTC', clock_timestamp())
      FROM ended WHERE ended.ends_trial AND t.trial_id = ended.trial_id
), hung AS (
    -- The worker's trial was taken over while it stalled: it did not merely lose it.
    UPDATE search_service.attempts a SET reason = :reason
      FROM search_service.workers w
     WHERE :reason = 'stalled' AND w.worker_id = :worker AND a.worker_id = w.worker_id
       AND a.reason = 'lost' AND a.started_at >= w.seen_at
)
SELECT count(*) AS ended, count(search_service.wake(study_id)) AS woken FROM ended"""
OF_ATTEMPT = END.format(touch=TOUCH, of_attempts=ATTEMPT)
HAND_BACK = text(OF_ATTEMPT).bindparams(DETAIL)
OF_WORKER = END.format(touch=TOUCH, of_attempts="a.worker_id = :worker")
END_LEASES = text(OF_WORKER).bindparams(DETAIL)

HAD_ENDED = text(f"""SELECT FROM search_service.attempts a
 WHERE {ATTEMPT} AND a.reason = :reason AND a.ends_trial = :ends_trial""")
