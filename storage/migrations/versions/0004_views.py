"""Views for people who query the tables: one per question, with real values and plain names.

No code of ours reads them. A migration that changes a column or a function which a view uses, also
one of Optuna's, drops the view first and creates it again.
"""

from alembic import op

revision = "0004"
down_revision = "0003"

# Optuna stores the place of a choice, and a number for everything else. Python writes NaN and
# Infinity into a list of choices, which is no JSON: here they become strings. A word that stands
# within a string stays: behind it, the strings up to the end are not whole.
VALUE = r"""CASE WHEN p.distribution_json LIKE '%"CategoricalDistribution"%'
            THEN regexp_replace(p.distribution_json,
                 '([[ ])(NaN|-?Infinity)(?=[],](?:[^"\\]|"(?:[^"\\]|\\.)*")*$)',
                 '\1"\2"', 'g')::json
                 -> 'attributes' -> 'choices' -> p.param_value::integer
            ELSE to_json(p.param_value) END"""

TRIALS = f"""
CREATE VIEW search_views.trials AS
SELECT s.study_name::text AS study, t.number AS trial, t.state::text AS state,
       CASE WHEN t.state IN ('RUNNING', 'WAITING') THEN NULL WHEN last.ends_trial THEN last.reason
            ELSE 'ended_elsewhere' END AS outcome,
       CASE WHEN last.ends_trial THEN last.detail END AS detail,
       CASE WHEN t.state = 'COMPLETE' THEN (
            SELECT CASE v.value_type WHEN 'INF_POS' THEN 'Infinity' WHEN 'INF_NEG' THEN '-Infinity'
                        ELSE v.value END
              FROM trial_values v WHERE v.trial_id = t.trial_id AND v.objective = 0) END AS value,
       coalesce((SELECT json_object_agg(p.param_name, {VALUE} ORDER BY p.param_id)
                   FROM trial_params p WHERE p.trial_id = t.trial_id), '{{}}') AS parameters,
       coalesce(last.attempt, 0) AS attempts, last.worker_id AS worker,
       coalesce((SELECT min(a.started_at) FROM search_service.attempts a
                  WHERE a.trial_id = t.trial_id),
                t.datetime_start AT TIME ZONE 'UTC') AS started_at,
       CASE WHEN t.state IN ('RUNNING', 'WAITING') THEN NULL WHEN last.ends_trial
            THEN last.ended_at ELSE t.datetime_complete AT TIME ZONE 'UTC' END AS ended_at,
       (SELECT count(*) FROM search_service.epochs e WHERE e.trial_id = t.trial_id) AS epochs,
       best.epoch AS best_epoch, best.value AS best_value
  FROM search_service.studies ours
  JOIN studies s ON s.study_id = ours.study_id
  JOIN study_directions d ON d.study_id = s.study_id AND d.objective = 0
  JOIN trials t ON t.study_id = s.study_id
  LEFT JOIN LATERAL (
       SELECT a.attempt, a.worker_id, a.ended_at, a.reason, a.detail, a.ends_trial
         FROM search_service.attempts a
        WHERE a.trial_id = t.trial_id ORDER BY a.attempt DESC LIMIT 1) last ON true
  LEFT JOIN LATERAL (
       SELECT e.epoch, e.value FROM search_service.epochs e WHERE e.trial_id = t.trial_id
        ORDER BY e.value = 'NaN', CASE d.direction WHEN 'MINIMIZE' THEN e.value ELSE -e.value END,
                 e.epoch LIMIT 1) best ON true
"""

EPOCHS = """
CREATE VIEW search_views.epochs AS
SELECT s.study_name::text AS study, t.number AS trial, e.epoch, e.attempt, e.value, e.metrics,
       e.seconds, e.images, e.recorded_at
  FROM search_service.epochs e
  JOIN trials t ON t.trial_id = e.trial_id
  JOIN studies s ON s.study_id = t.study_id
"""

WORKERS = """
CREATE VIEW search_views.workers AS
SELECT s.study_name::text AS study, w.worker_id AS worker, w.host, w.device, w.pid, w.started_at,
       greatest(w.seen_at, tried.beat_at) AS seen_at, w.ended_at, w.exit_code, w.reason,
       (SELECT max(t.number) FROM search_service.attempts a JOIN trials t ON t.trial_id = a.trial_id
         WHERE a.worker_id = w.worker_id AND a.ended_at IS NULL AND search_service.is_live(a)
           AND t.state = 'RUNNING') AS trial,
       coalesce(tried.trials_ended, 0) AS trials_ended, coalesce(recorded.epochs, 0) AS epochs
  FROM search_service.workers w
  JOIN studies s ON s.study_id = w.study_id
  LEFT JOIN (
       SELECT a.worker_id, max(a.beat_at) AS beat_at,
              count(*) FILTER (WHERE a.ends_trial) AS trials_ended
         FROM search_service.attempts a GROUP BY a.worker_id) tried
       ON tried.worker_id = w.worker_id
  LEFT JOIN (
       SELECT a.worker_id, count(*) AS epochs
         FROM search_service.epochs e
         JOIN search_service.attempts a ON a.trial_id = e.trial_id AND a.attempt = e.attempt
        GROUP BY a.worker_id) recorded ON recorded.worker_id = w.worker_id
"""

# The time of an attempt is kept from its start, or from its first new epoch where it is not the
# first attempt, to its last epoch, or to its end where no other attempt follows. The rest is lost:
# an epoch that was broken off, a second start, epochs that were trained a second time.
GPU_HOURS = f"""
CREATE VIEW search_views.gpu_hours AS
WITH recorded AS (
    SELECT e.trial_id, e.attempt, count(*) AS epochs, sum(e.seconds) AS seconds,
           min(e.recorded_at - e.seconds * interval '1 second') AS first_at,
           max(e.recorded_at) AS last_at
      FROM search_service.epochs e GROUP BY e.trial_id, e.attempt
), tried AS (
    SELECT t.study_id, t.state, a.trial_id, a.attempt, a.reason, a.ends_trial, a.started_at,
           CASE WHEN a.ended_at IS NOT NULL THEN a.ended_at
                WHEN t.state = 'RUNNING' AND search_service.is_live(a) THEN clock_timestamp()
                ELSE a.beat_at END AS ended_at,
           a.attempt = max(a.attempt) OVER (PARTITION BY a.trial_id)
           AND (a.ended_at IS NULL OR t.state <> 'RUNNING') AS is_last
      FROM search_service.attempts a JOIN trials t ON t.trial_id = a.trial_id
), kept AS (
    SELECT tried.*, recorded.epochs, recorded.seconds,
           CASE WHEN attempt = 1 OR recorded.first_at IS NULL THEN tried.started_at
                ELSE greatest(tried.started_at, recorded.first_at) END AS kept_from,
           CASE WHEN is_last THEN tried.ended_at
                WHEN recorded.last_at IS NULL THEN tried.started_at
                ELSE least(tried.ended_at, recorded.last_at) END AS kept_to
      FROM tried LEFT JOIN recorded USING (trial_id, attempt)
), by_trial AS (
    SELECT study_id, trial_id, CASE WHEN state = 'RUNNING' THEN 'running' ELSE
                coalesce(max(reason) FILTER (WHERE ends_trial), 'ended_elsewhere') END AS fate,
           sum(epochs) AS epochs, sum(seconds) AS seconds,
           sum(extract(epoch FROM ended_at - started_at)::float8) / 3600 AS taken,
           sum(extract(epoch FROM greatest(kept_to - kept_from, interval '0'))::float8) / 3600
               AS kept
      FROM kept GROUP BY study_id, trial_id, state
), pruned AS (
    SELECT study_id, sum(greatest(planned - epochs, 0) * seconds / epochs) / 3600 AS saved FROM (
        SELECT by_trial.*, coalesce(
                   (SELECT ({VALUE}) #>> '{{}}' FROM trial_params p
                     WHERE p.trial_id = by_trial.trial_id AND p.param_name = 'epochs'),
                   ours.definition #>> '{{study,fixed,epochs}}',
                   ours.definition #>> '{{found,defaults,epochs}}')::float8
               * coalesce((ours.definition #>> '{{study,folds}}')::integer, 1) AS planned
          FROM by_trial JOIN search_service.studies ours USING (study_id)
         WHERE fate = 'pruned') schedules
     GROUP BY study_id
), hours AS (
    SELECT study_id, sum(kept) FILTER (WHERE fate = 'finished') AS finished,
           sum(kept) FILTER (WHERE fate = 'pruned') AS pruned,
           sum(kept) FILTER (WHERE fate NOT IN ('finished', 'pruned', 'running')) AS failed,
           sum(kept) FILTER (WHERE fate = 'running') AS running,
           sum(taken - kept) AS lost
      FROM by_trial GROUP BY study_id
)
SELECT s.study_name::text AS study, coalesce(hours.finished, 0) AS finished,
       coalesce(hours.pruned, 0) AS pruned, coalesce(hours.failed, 0) AS failed,
       coalesce(hours.running, 0) AS running, coalesce(hours.lost, 0) AS lost,
       coalesce(pruned.saved, 0) AS saved_by_pruning
  FROM search_service.studies ours
  JOIN studies s ON s.study_id = ours.study_id
  LEFT JOIN hours ON hours.study_id = ours.study_id
  LEFT JOIN pruned ON pruned.study_id = ours.study_id
"""

# view -> its sentence, and that of each column
COMMENTS = {
    "trials": (
        "One row per trial: what it tried, how it ended, and the best of its epochs.",
        {
            "study": "Name of the study.",
            "trial": "Number of the trial in its study, from 0.",
            "state": "WAITING, RUNNING, COMPLETE, PRUNED or FAIL, as in Optuna.",
            "outcome": "How it ended, in the words of docs/results.md; NULL until then.",
            "detail": "How it ended, in a sentence.",
            "value": "The value by which trials are ranked; of COMPLETE trials only.",
            "parameters": "The drawn values by name, as JSON in the order of drawing.",
            "attempts": "How many processes have tried it.",
            "worker": "The worker of the newest attempt.",
            "started_at": "When it was first claimed.",
            "ended_at": "When it ended. Where another program began or ended the trial, the time"
            " is that program''s, read as UTC.",
            "epochs": "How many epochs are recorded.",
            "best_epoch": "The epoch with the best value of the metric; the first of equals.",
            "best_value": "Its value.",
        },
    ),
    "epochs": (
        "One row per recorded epoch of a trial.",
        {
            "study": "Name of the study.",
            "trial": "Number of the trial in its study, from 0.",
            "epoch": "Counts from 1; with folds through all folds.",
            "attempt": "The attempt that recorded it.",
            "value": "The study''s metric; NaN and the infinities occur.",
            "metrics": "Every metric by name, as JSON; NaN and the infinities are strings in it.",
            "seconds": "Time of training and validation.",
            "images": "How many images were trained on.",
            "recorded_at": "When it was written.",
        },
    ),
    "workers": (
        "One row per worker process, with the trial that it holds now.",
        {
            "study": "Name of the study.",
            "worker": "Name of the process: host, number and a random part.",
            "host": "Name of the machine.",
            "device": "Where it trains, such as cuda:0 or cpu.",
            "pid": "Number of the process on its machine.",
            "started_at": "When it was registered.",
            "seen_at": "Its last claim or beat.",
            "ended_at": "When its supervisor saw it end; NULL before, and where nobody saw it.",
            "exit_code": "Exit code of the process; negative for a signal.",
            "reason": "Why it ended, in one line.",
            "trial": "Number of the trial that it holds now; NULL for none.",
            "trials_ended": "How many trials ended in its hands.",
            "epochs": "How many epochs it recorded.",
        },
    ),
    "gpu_hours": (
        "One row per study: the hours of its attempts by what became of them. The first five"
        " columns add up to all attempts; an attempt has one device, which may be a CPU.",
        {
            "study": "Name of the study.",
            "finished": "Hours in trials that went through their schedule.",
            "pruned": "Hours in trials that the pruner stopped.",
            "failed": "Hours in trials that ended otherwise: errors, divergence, no memory, given"
            " up, ended by a person.",
            "running": "Hours in trials that have not ended, up to now.",
            "lost": "Hours of attempts that led to no new epoch because another attempt followed:"
            " the epoch that was broken off, the second start, epochs trained again.",
            "saved_by_pruning": "Hours that pruned trials would have taken to the end of their"
            " schedules, at the mean speed of their epochs; not counted in the others.",
        },
    ),
}


def upgrade() -> None:
    """Create the views, with a sentence for each and for its columns."""
    for statement in (TRIALS, EPOCHS, WORKERS, GPU_HOURS):
        op.execute(statement)
    for view, (about, columns) in COMMENTS.items():
        op.execute(f"COMMENT ON VIEW search_views.{view} IS '{about}'")
        for column, meaning in columns.items():
            op.execute(f"COMMENT ON COLUMN search_views.{view}.{column} IS '{meaning}'")
