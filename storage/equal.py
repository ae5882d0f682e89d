"""Trials whose first epoch gave the same number to the last bit."""

from collections.abc import Collection

from sqlalchemy import Connection, text

from storage.rows import StudyRow

MOST = 2000  # trials; a hyperparameter that nothing reads shows among the first ones

# One trial of each configuration, where several configurations gave the same number. NaN is
# greater than infinity.
EQUAL = text("""WITH firsts AS (
    SELECT t.trial_id, t.number, CAST(e.metrics ->> :metric AS double precision) AS value
      FROM trials t JOIN search_service.epochs e ON e.trial_id = t.trial_id AND e.epoch = 1
     WHERE t.study_id = :study
), shared AS (
    SELECT value FROM firsts WHERE value > '-Infinity' AND value < 'Infinity'
     GROUP BY value HAVING count(*) > 1
), drawn AS (
    SELECT f.number, f.value, (
           SELECT string_agg(p.param_name || '=' || p.param_value, ', ' ORDER BY p.param_name)
             FROM trial_params p
            WHERE p.trial_id = f.trial_id AND p.param_name = ANY(:keys)) AS params
      FROM firsts f JOIN shared ON shared.value = f.value
), configurations AS (
    SELECT min(number) AS number, value, count(*) OVER (PARTITION BY value) AS others
      FROM drawn GROUP BY value, params
)
SELECT number, value FROM configurations WHERE others > 1 ORDER BY number LIMIT :most""")


def equal_firsts(
    connection: Connection, study: StudyRow, metric: str, keys: Collection[str]
) -> dict[int, float]:
    """Read a metric of the first epoch, by trial, where other configurations gave the same.

    keys: the drawn values that make a configuration; of several trials with the same, the earliest
        is read.
    """
    given = {"study": study.study_id, "metric": metric, "keys": list(keys), "most": MOST}
    return {row.number: row.value for row in connection.execute(EQUAL, given)}
