"""Which trials are stopped early, in sentences for the page, the note and the report."""

from collections.abc import Iterator

from dashboards.analysis.methods.sections import and_so_on
from spaces.kin import kin_names
from spaces.pruning import PRUNING_RULES
from spaces.rungs import LEAST_KIN, rung_epochs
from spaces.stored import StoredStudy
from spaces.study import FIRST_JUDGED_FOLDS, Study


def pruning_of(stored: StoredStudy, be: str = "is") -> str:
    """Return which trials are stopped early.

    be: "is", or "was" in a report.
    """
    study = stored.study
    rule = PRUNING_RULES[study.pruning.rule]
    if compares_folds(study):
        return f"From the third fold on, a trial {be} stopped between folds {rule.between_folds}."
    if study.folds or not rule.between_epochs:
        return f"No trial {be} stopped early."
    if _has_no_length(stored):
        return f"No trial {be} stopped early, because no `epochs` tells the length of its schedule."
    if study.pruning.at_rungs:
        return " ".join(_at_rungs(stored, be))
    first = study.pruning.first_epoch
    since = f"epoch {first}" if first else "the end of warm-up and a quarter of its schedule"
    return f"From {since} on, a trial {be} stopped early {rule.between_epochs}."


def compares_folds(study: Study) -> bool:
    """Say whether trials are stopped between folds."""
    between_folds = PRUNING_RULES[study.pruning.rule].between_folds
    return study.folds > FIRST_JUDGED_FOLDS and bool(between_folds)


def stops_at_rungs(stored: StoredStudy) -> bool:
    """Say whether trials are compared at rungs: there are enough, and a schedule has a rung."""
    study, longest = stored.study, _longest(stored)
    has_rung = bool(rung_epochs(longest)) if longest else not _has_no_length(stored)
    return not study.folds and study.pruning.at_rungs and study.trials >= LEAST_KIN and has_rung


def _at_rungs(stored: StoredStudy, be: str) -> Iterator[str]:
    study = stored.study
    if study.trials < LEAST_KIN:
        yield f"No trial {be} stopped early, because {LEAST_KIN} are needed to compare one."
        return
    if not stops_at_rungs(stored):
        yield f"No trial {be} stopped early, because its schedule is too short."
        return
    since = f"from epoch {study.pruning.first_epoch} on, " if study.pruning.first_epoch else ""
    yield (
        f"A trial {be} stopped at 1/6, 1/3 or 2/3 of its schedule after warm-up and unfreezing,"
        f" {since}{PRUNING_RULES[study.pruning.rule].between_epochs}."
    )
    names = kin_names(study)
    others = f"the trials of the same {and_so_on(names)}" if names else "all trials"
    yield f"It {be} compared with {others} that got there before it, whatever became of them."
    first = f"The first {LEAST_KIN - 1}{' of each kind' if names else ''}"
    yield f"{first} {'are' if be == 'is' else 'were'} not judged."


def _has_no_length(stored: StoredStudy) -> bool:
    """Say whether an author's own code has no hyperparameter by which schedules are compared."""
    return bool(stored.found.own) and _longest(stored) is None


def _longest(stored: StoredStudy) -> int | None:
    """Return the epochs of the longest schedule; None where they are unknown."""
    searched = stored.study.space.get("epochs")
    ends = searched.corners() if searched else (stored.settled.get("epochs"),)
    return max((int(each) for each in ends if isinstance(each, int | float)), default=None)
