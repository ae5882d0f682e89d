"""How each trial was drawn, in the view of the trials."""

from alembic import op

revision = "0009"
down_revision = "0008"

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
CREATE OR REPLACE VIEW search_views.trials AS
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
       best.epoch AS best_epoch, best.value AS best_value,
       (SELECT d.way FROM search_service.draws d WHERE d.trial_id = t.trial_id) AS drawn
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

DRAWN = "How it was drawn: enqueued, prior, uniform, model or model_with_prior; NULL before."


def upgrade() -> None:
    """Add the column."""
    op.execute(TRIALS)
    op.execute(f"COMMENT ON COLUMN search_views.trials.drawn IS '{DRAWN}'")
