"""The sampler in force in a study, and how its trials were drawn, in words."""

from collections.abc import Iterator, Sequence

from dashboards.analysis.methods.sections import Phrase, Section, Table
from dashboards.analysis.numbers import counted, whole
from dashboards.analysis.priors.declared import has_priors
from dashboards.analysis.priors.knowledge import Knowledge
from dashboards.analysis.priors.words import COUNTED, known, too_early
from spaces.sampling import FIRST_OF_TPE, LAST_WITH_PRIOR, LEAST_ENDED, MODELS
from spaces.study import Study


def drawn_by(study: Study) -> str:
    """Return what draws the values once enough trials have ended, as a noun."""
    if study.sampler == "random":
        return "chance alone"
    model = _better_models() if study.sampler == "auto" else MODELS[study.sampler]
    return f"{model}{_with_priors(study)}"


def order(study: Study, promoted_from: str = "") -> Iterator[str]:
    """Yield how the trials of a study are drawn, in sentences.

    promoted_from: the study whose best trials are trained again; "" for none.
    """
    if promoted_from:
        best = counted(len(study.enqueue), "configuration")
        yield f"The first trials are the best {best} of {promoted_from}, best first."
        if study.trials <= len(study.enqueue):
            return
    else:
        yield _first(study)
    if study.sampler == "random":
        yield "The next ones are drawn uniformly."
    else:
        turns = early_turns(study)
        yield (
            f"Until {LEAST_ENDED} trials have ended the next ones are drawn {turns}, later ones by"
            f" {drawn_by(study)}."
        )
    for name, least in study.at_least.items():
        yield f"Every option of {name} gets {counted(least, 'finished trial')}."


def _first(study: Study) -> str:
    given = f", then {counted(len(study.enqueue), 'given configuration')}" if study.enqueue else ""
    return f"The first trial takes the most probable values{given}."


def early_turns(study: Study) -> str:
    """Return how values are drawn before enough trials have ended."""
    return "from the priors and uniformly in turn" if has_priors(study.space) else "uniformly"


def drawn_section(knowledge: Knowledge, study: Study) -> Section:
    """Describe how the trials so far were drawn, and the sampler's knowledge of the priors."""
    lines = [*known(knowledge), *filter(None, [too_early(knowledge, study)])]
    rows: list[Sequence[Phrase]] = [
        [[COUNTED[way]], [whole(count)]] for way, count in knowledge.ways.items()
    ]
    return Section(
        name="drawn",
        title="How the trials were drawn",
        sentences=[[f"{line[:1].upper()}{line[1:]}."] for line in lines],
        table=Table(["values", "trials"], rows) if rows else None,
    )


def _better_models() -> str:
    if not FIRST_OF_TPE:
        return MODELS["tpe"]
    return f"{MODELS['gp']} up to {FIRST_OF_TPE} ended trials and {MODELS['tpe']} after them"


def _with_priors(study: Study) -> str:
    if not has_priors(study.space):
        return ""
    until = f", up to {LAST_WITH_PRIOR} ended trials" if study.trials > LAST_WITH_PRIOR else ""
    return f", with the priors that the trials support{until}"
