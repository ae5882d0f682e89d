"""Check a study before a GPU is used. The rules by their ids:

D01 an unknown key, or a value that the objective does not take · D02 a parameter that nothing reads
· D03 a parameter that cannot act in time · D04 two balancing mechanisms at once · D05 values that
are known to go badly · D07 a prior that leaves next to nothing to be drawn · O01 a metric that
cannot rank trials, or the wrong direction · O03 a metric that changes with a searched parameter ·
C14 a test split that the search would read
"""

from collections.abc import Iterator
from dataclasses import replace

from spaces.rules.acting import dead_enqueued_values, dead_parameters
from spaces.rules.balance import fast_heads, small_ldam_batches, stacked_balancing
from spaces.rules.fields import Fields
from spaces.rules.finding import Finding
from spaces.rules.keys import unknown_keys, values_out_of_range
from spaces.rules.measure import read_test_split, wrong_metric
from spaces.rules.priors import narrow_priors
from spaces.rules.script import script_faults
from spaces.rules.timing import Schedule, late_reweighting, misplaced_rung, unknown_length
from spaces.study import Practice, Study


def check(study: Study, fields: Fields, metrics: Fields, schedule: Schedule) -> list[Finding]:
    """Return everything that the rules find in a study and its practice form, errors first.

    The same finding is returned once.

    fields: hyperparameter name -> {type, low, high, choices, default, acts_when}.
    metrics: metric name -> {direction, ranks, changed_by, called}.
    schedule: the objective's schedule of a configuration.
    """
    found = list(_findings(study, fields, metrics, schedule))
    if study.practice != Practice():
        small = _findings(study.for_practice(), fields, metrics, schedule)
        found += [
            replace(each, message=f"on practice data, {each.message}")
            for each in small
            if each not in found
        ]
    return sorted(dict.fromkeys(found), key=lambda finding: finding.level)


def _findings(
    study: Study, fields: Fields, metrics: Fields, schedule: Schedule
) -> Iterator[Finding]:
    wrong = [*unknown_keys(study, fields), *values_out_of_range(study, fields)]
    yield from wrong
    yield from read_test_split(study, metrics)
    yield from wrong_metric(study, metrics)
    yield from narrow_priors(study)
    yield from script_faults(study)
    if not wrong:  # the other rules need configurations whose every key is known
        yield from dead_parameters(study, fields)
        yield from dead_enqueued_values(study)
        yield from late_reweighting(study, fields, schedule)
        yield from misplaced_rung(study, fields, schedule)
        yield from unknown_length(study, fields, schedule)
        yield from stacked_balancing(study, fields)
        yield from small_ldam_batches(study, fields)
        yield from fast_heads(study, fields)
