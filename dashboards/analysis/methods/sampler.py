"""The sampler in force in a study, and how its trials were drawn, in words."""

from collections.abc import Iterator, Sequence

from dashboards.analysis.methods.sections import Phrase, Section, Table
from dashboards.analysis.numbers import counted, whole
from dashboards.analysis.priors.declared import has_priors
from dashboards.analysis.priors.knowledge import Knowledge
from dashboards.analysis.priors.words import COUNTED, as_sentence, known, too_early
from spaces.sampling import FIRST_OF_TPE, LAST_WITH_PRIOR, LEAST_ENDED, MODELS
from spaces.stored import StoredStudy
from spaces.study import Study


def drawn_by(study: Study) -> str:
    """Return what draws the values once enough trials have ended, as a noun."""
    if study.sampler == "random":
        return "chance alone"
    model = _better_models() if study.sampler == "auto" else MODELS[study.sampler]
    return f"{model}{_with_priors(study)}"


def order(stored: StoredStudy, be: str = "are") -> Iterator[str]:
    """Yield how the trials of a study are drawn, in sentences.

    be: "are", or "were" in a report.
    """
    study, promoted_from = stored.study, stored.found.promoted_from
    if promoted_from:
        best = counted(study.trials, "configuration")
        yield f"The trials {be} the best {best} of {promoted_from}, best first, and no others."
        return
    given = counted(len(study.enqueue), "given configuration")
    then = f", then {given}" if study.enqueue else ""
    yield f"Tried first {be} {_first_values(study)}{then}."
    if study.sampler == "random":
        yield f"The next ones {be} drawn uniformly."
    else:
        turns = "from the priors and uniformly in turn" if has_priors(study.space) else "uniformly"
        yield (
            f"Until {LEAST_ENDED} trials have ended, values {be} drawn {turns}; after that by"
            f" {drawn_by(study)}."
        )


def guaranteed(study: Study, be: str = "is") -> Iterator[str]:
    """Yield how many finished trials the options of a parameter get, in sentences.

    be: "is", or "was" in a report.
    """
    for name, least in study.at_least.items():
        yield (
            f"Every option of {name} {be} to get {counted(least, 'finished trial')}; until then"
            f" none of its trials {be} stopped early."
        )


def models_of(stored: StoredStudy) -> Sequence[str]:
    """Return the names of the models that draw in a study of so many trials, in their order."""
    study = stored.study
    is_drawn = study.trials > LEAST_ENDED and not stored.found.promoted_from
    if study.sampler == "random" or not is_drawn:
        return ()
    if study.sampler != "auto":
        return (study.sampler,)
    used = {"gp": FIRST_OF_TPE > 0, "tpe": study.trials > FIRST_OF_TPE}
    return tuple(name for name in used if used[name])


def drawn_section(knowledge: Knowledge, study: Study) -> Section:
    """Describe how the trials so far were drawn, and the sampler's knowledge of the priors."""
    lines = [*known(knowledge), *filter(None, [too_early(knowledge, study)])]
    rows: list[Sequence[Phrase]] = [
        [[COUNTED[way]], [whole(count)]] for way, count in knowledge.ways.items()
    ]
    return Section(
        name="drawn",
        title="How the trials were drawn",
        sentences=[[as_sentence(line)] for line in lines],
        table=Table(["values", "trials"], rows) if rows else None,
    )


def _first_values(study: Study) -> str:
    """Return the values of the prior's mode, in words."""
    middle = "the middle of every range and the first of the options"
    if not has_priors(study.space):
        return middle
    return "the most probable values of the priors"


def _better_models() -> str:
    if not FIRST_OF_TPE:
        return MODELS["tpe"]
    return f"{MODELS['gp']} up to {FIRST_OF_TPE} ended trials and {MODELS['tpe']} after them"


def _with_priors(study: Study) -> str:
    if not has_priors(study.space):
        return ""
    until = f", up to {LAST_WITH_PRIOR} ended trials" if study.trials > LAST_WITH_PRIOR else ""
    return f", with the priors that the trials support{until}"
