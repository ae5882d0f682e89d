"""Readings of workers, outages, and where the time of each trial went: rows for a live page.

The hours of a study are sums over `search_service.trial_time`, in the view for people and in
storage/live/hours.py alike.
"""

from alembic import op

revision = "0005"
down_revision = "0004"

READINGS = "ALTER TABLE search_service.workers ADD COLUMN readings json"

OUTAGES = """
CREATE TABLE search_service.outages (
    worker_id text NOT NULL REFERENCES search_service.workers ON DELETE CASCADE,
    outage integer NOT NULL,
    study_id integer NOT NULL REFERENCES search_service.studies ON DELETE CASCADE,
    began_at timestamptz NOT NULL,
    ended_at timestamptz NOT NULL,
    epochs integer NOT NULL,
    PRIMARY KEY (worker_id, outage)
)"""
OF_A_STUDY = "CREATE INDEX outages_of_a_study ON search_service.outages (study_id, ended_at)"

# The drawn number of epochs, a whole number or one of several choices.
DRAWN_EPOCHS = """(SELECT CASE WHEN p.distribution_json LIKE '%"CategoricalDistribution"%'
             THEN (p.distribution_json::json -> 'attributes' -> 'choices'
                   ->> p.param_value::integer)::float8 ELSE p.param_value END
        FROM trial_params p WHERE p.trial_id = t.trial_id AND p.param_name = 'epochs')"""

# The time of an attempt is kept from its start, or from its first new epoch where it is not the
# first attempt, to its last epoch, or to its end where no other attempt follows. The rest is lost:
# an epoch that was broken off, a second start, epochs that were trained a second time. Each trial
# is looked up by itself, so that a few trials cost the same in a study of any size.
TRIAL_TIME = f"""
CREATE VIEW search_service.trial_time AS
SELECT t.study_id, t.trial_id, t.number,
       CASE WHEN t.state = 'WAITING' THEN 'waiting' WHEN t.state = 'RUNNING' THEN 'running'
            ELSE coalesce(spent.reason, 'ended_elsewhere') END AS fate,
       t.state NOT IN ('RUNNING', 'WAITING') AND NOT coalesce(spent.is_open, false) AS is_settled,
       coalesce(spent.kept, 0) AS kept, coalesce(spent.taken - spent.kept, 0) AS lost,
       coalesce(CASE WHEN spent.reason = 'pruned' THEN greatest(0, planned.folds
            * coalesce({DRAWN_EPOCHS}, planned.epochs) - spent.epochs)
            * spent.seconds / spent.epochs END, 0) AS saved
  FROM search_service.studies ours
 CROSS JOIN LATERAL (
       SELECT coalesce(ours.definition #>> '{{study,fixed,epochs}}',
                       ours.definition #>> '{{found,defaults,epochs}}')::float8 AS epochs,
              coalesce((ours.definition #>> '{{study,folds}}')::integer, 1) AS folds
       OFFSET 0) planned
  JOIN trials t ON t.study_id = ours.study_id
 CROSS JOIN LATERAL (
       SELECT bool_or(ended_at IS NULL) AS is_open,
              max(reason) FILTER (WHERE ends_trial) AS reason,
              sum(epochs) AS epochs, sum(seconds) AS seconds,
              sum(extract(epoch FROM over_at - started_at)::float8) AS taken,
              sum(extract(epoch FROM greatest(kept_to - kept_from, interval '0'))::float8) AS kept
         FROM (
              SELECT tried.*,
                     CASE WHEN attempt = 1 OR first_at IS NULL THEN started_at
                          ELSE greatest(started_at, first_at) END AS kept_from,
                     CASE WHEN is_last THEN over_at WHEN last_at IS NULL THEN started_at
                          ELSE least(over_at, last_at) END AS kept_to
                FROM (
                     SELECT a.*, recorded.*,
                            CASE WHEN a.ended_at IS NOT NULL THEN a.ended_at
                                 WHEN t.state = 'RUNNING' AND search_service.is_live(a)
                                 THEN clock_timestamp() ELSE a.beat_at END AS over_at,
                            a.attempt = max(a.attempt) OVER ()
                            AND (a.ended_at IS NULL OR t.state <> 'RUNNING') AS is_last
                       FROM search_service.attempts a
                      CROSS JOIN LATERAL (
                            SELECT nullif(count(*), 0) AS epochs, sum(e.seconds) AS seconds,
                                   min(e.recorded_at - e.seconds * interval '1 second') AS first_at,
                                   max(e.recorded_at) AS last_at
                              FROM search_service.epochs e
                             WHERE e.trial_id = a.trial_id AND e.attempt = a.attempt) recorded
                      WHERE a.trial_id = t.trial_id) tried) kept) spent
"""

GPU_HOURS = """
CREATE OR REPLACE VIEW search_views.gpu_hours AS
SELECT s.study_name::text AS study,
       coalesce(sum(kept) FILTER (WHERE fate = 'finished'), 0) / 3600 AS finished,
       coalesce(sum(kept) FILTER (WHERE fate = 'pruned'), 0) / 3600 AS pruned,
       coalesce(sum(kept) FILTER (WHERE fate NOT IN ('finished', 'pruned', 'running')), 0) / 3600
           AS failed,
       coalesce(sum(kept) FILTER (WHERE fate = 'running'), 0) / 3600 AS running,
       coalesce(sum(lost), 0) / 3600 AS lost, coalesce(sum(saved), 0) / 3600 AS saved_by_pruning
  FROM search_service.studies ours
  JOIN studies s ON s.study_id = ours.study_id
  LEFT JOIN search_service.trial_time trial_time ON trial_time.study_id = ours.study_id
 GROUP BY s.study_id
"""

# The views' sentences; the tables' are in storage/comments.py.
COMMENTS = {
    "study_id": "The study, as Optuna numbers it.",
    "trial_id": "The trial, as Optuna numbers it.",
    "number": "Number of the trial in its study, from 0.",
    "fate": "The outcome of a trial that has ended; waiting or running of any other.",
    "is_settled": "Whether none of these numbers can change any more.",
    "kept": "Seconds of its attempts without the lost ones.",
    "lost": "Seconds of its attempts that led to no new epoch because another attempt followed.",
    "saved": "Seconds that a pruned trial would have taken to the end of its schedule, at the mean"
    " speed of its epochs.",
}


def upgrade() -> None:
    """Add the column, the table and the view, and count the hours of studies by the view."""
    for statement in (READINGS, OUTAGES, OF_A_STUDY, TRIAL_TIME, GPU_HOURS):
        op.execute(statement)
    view = "search_service.trial_time"
    op.execute(f"COMMENT ON VIEW {view} IS 'One row per trial: where its workers'' time went.'")
    for column, meaning in COMMENTS.items():
        op.execute(f"COMMENT ON COLUMN {view}.{column} IS '{meaning}'")
