"""The sampler's knowledge of the priors in words, the same in terminal, page and report."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from dashboards.analysis.numbers import counted, percent, short, whole
from dashboards.analysis.priors.declared import has_priors
from dashboards.analysis.priors.knowledge import Knowledge
from spaces.sampling import LEAST_COMPARED, MODELS
from spaces.shown import shown
from spaces.study import Study
from storage.rows import Drawing, Way

COUNTED: Mapping[Way, str] = {
    Way.ENQUEUED: "as given beforehand",
    Way.PRIOR: "from the prior",
    Way.UNIFORM: "uniformly",
    Way.MODEL: "by the model",
    Way.MODEL_WITH_PRIOR: "by the model with the prior",
}
WAY_WORDS: Mapping[Way, str] = {way: way.replace("_", " ") for way in Way}
TOO_EARLY = (
    "whether the prior helps is not known yet: trials drawn with and without it must end first"
)
TOO_FEW = (
    f"whether the prior helps is told once {LEAST_COMPARED} trials drawn with it have ended and"
    f" {LEAST_COMPARED} drawn without"
)


def known(knowledge: Knowledge) -> Sequence[str]:
    """Return the record of the prior and the trust in its parts; () before they are known."""
    if knowledge.record is None:
        return ()
    told, sides = trusts(knowledge.trust, knowledge.believed), _sides(knowledge.compared)
    if has_enough(knowledge.compared):
        head = f"prior {percent(knowledge.record, 0)} ({sides}){': ' if told else ''}"
        record = _record(knowledge.record)
    else:
        head = f"prior: too few to say ({sides}){'; ' if told else ''}"
        record = TOO_FEW
    return f"{head}{told}", f"{record} (as of trial {knowledge.trial})"


def has_enough(compared: Mapping[str, int]) -> bool:
    """Say whether enough trials were drawn with the prior and without to compare them."""
    return min(compared.get("with", 0), compared.get("without", 0)) >= LEAST_COMPARED


def was_known(knowledge: Knowledge) -> str:
    """Return the same in a sentence of a report; "" before it is known."""
    if knowledge.record is None:
        return ""
    sides = " and ".join(f"{count} {side}" for side, count in knowledge.compared.items())
    ended = f"of the trials with results by trial {knowledge.trial}, {sides} the prior were drawn"
    if not has_enough(knowledge.compared):
        return as_sentence(f"{ended}, too few to compare them")
    told = trusts(knowledge.trust, knowledge.believed)
    trust = f"; trust in each prior: {told}" if told else ""
    return as_sentence(
        f"{ended}, at different times of the search, so that no test compares them; the sampler's"
        f" own comparison, the record of the prior, stood at {percent(knowledge.record, 0)}"
        f" ({percent(0.5, 0)} for no difference{trust})"
    )


def too_early(knowledge: Knowledge, study: Study) -> str:
    """Say that nothing is known of the prior yet; "" where it is, and where there is none."""
    # Where all are given beforehand, as in a study of promoted trials, no prior is asked.
    is_early = bool(knowledge.ways.keys() - {Way.ENQUEUED}) and knowledge.record is None
    return TOO_EARLY if is_early and has_priors(study.space) and study.sampler != "random" else ""


def drawn(knowledge: Knowledge) -> str:
    """Count the trials by the way in which they were drawn; "" where none is stored."""
    return f"drawn: {', '.join(counts(knowledge))}" if knowledge.ways else ""


def counts(knowledge: Knowledge) -> list[str]:
    """Return how many trials were drawn in each way."""
    return [f"{whole(count)} {COUNTED[way]}" for way, count in knowledge.ways.items()]


def told(knowledge: Knowledge, study: Study) -> list[str]:
    """Return all that is known in lines: the prior, and how trials were drawn."""
    early = too_early(knowledge, study)
    return [line for line in (*known(knowledge), early, drawn(knowledge)) if line]


def trusts(trust: Mapping[str, float], believed: Collection[str]) -> str:
    """Return the trust in the prior of each hyperparameter in one line."""
    return ", ".join(
        f"{shown(name)} {share(value)}" + ("" if name in believed else " (not believed)")
        for name, value in trust.items()
    )


def as_sentence(line: str) -> str:
    """Return a line with a capital and a full stop."""
    return f"{line[:1].upper()}{line[1:]}."


def share(value: float) -> str:
    """Format a probability with two decimals: .93."""
    return f"{value:.2f}".removeprefix("0")


def how_drawn(drawing: Drawing, study: Study) -> str:
    """Say in a sentence how a trial of a study was drawn."""
    model = MODELS.get(str(drawing.why.get("model")), "the model")
    match drawing.way:
        case Way.ENQUEUED:
            return "Given beforehand."
        case Way.PRIOR:
            return "Drawn from the prior."
        case Way.UNIFORM:
            return f"Drawn uniformly, {_why_uniformly(drawing, study)}."
        case Way.MODEL:
            return f"Drawn by {model} from the ended trials."
    return f"Drawn by {model} from the ended trials and the prior."


def why_drawn(drawing: Drawing) -> Iterator[str]:
    """Yield the knowledge by which a trial was drawn so, in sentences."""
    why = drawing.why
    if (record := why.get("record")) is not None:
        compared = why.get("compared", {})
        few = "" if has_enough(compared) else ", too few to say"
        yield as_sentence(f"{_record(record)} ({_sides(compared)}{few})")
    if trust := why.get("trust"):
        yield f"Trust in each prior: {trusts(trust, why.get('believed', ()))}."
    for name, option in why.get("guaranteed", {}).items():
        yield f"{shown(name)} is {shown(short(option))}, because the study asks for trials of it."
    if again := why.get("redrawn"):
        yield f"Drawn again {counted(again, 'time')}, because another trial has the same values."


def _why_uniformly(drawing: Drawing, study: Study) -> str:
    if study.sampler == "random":
        return "as the study asks"
    if "failed" in drawing.why:
        return f"because {drawing.why['failed']}"
    if "model" in drawing.why:
        return "because other trials have all that the model drew"
    return (
        "to have something to compare with"
        if has_priors(study.space)
        else "before enough had ended"
    )


def _sides(compared: Mapping[str, int]) -> str:
    """Count the trials on both sides of the comparison: 14 with, 6 without."""
    return f"{whole(compared.get('with', 0))} with, {whole(compared.get('without', 0))} without"


def _record(record: float) -> str:
    """Say what a record means; it decides how often the prior is used, and tests nothing."""
    return (
        f"the prior's record is {percent(record, 0)}; above {percent(0.5, 0)} trials drawn with it"
        " did better than those without"
    )
