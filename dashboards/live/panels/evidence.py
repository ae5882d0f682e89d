"""The prior of each searched hyperparameter against the evidence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from dashboards.analysis import numbers
from dashboards.analysis.overview import Overview
from dashboards.analysis.priors.drawn import FULL_DENSITY
from dashboards.analysis.priors.evidence import FEWEST, ParamEvidence
from dashboards.analysis.priors.guaranteed import guaranteed_lines
from dashboards.analysis.priors.knowledge import Knowledge
from dashboards.analysis.priors.options import Contrast, OptionEvidence
from dashboards.analysis.priors.ranges import NumberEvidence
from dashboards.analysis.priors.ruling import Ruling
from dashboards.analysis.priors.words import share, told
from dashboards.live.view import View
from spaces.params import Int, Value
from spaces.priors import Scale
from spaces.study import Study

TONES = {Ruling.HOLDS: "ok", Ruling.NARROWED: "run", Ruling.LEADS: "run", Ruling.WRONG: "warn"}
GROUND, TALLEST = 40, 34  # px: the line on which the density stands, and its height
ROWS, APART = 3, 8  # of dots, so that equal values do not cover each other
SMALL = 0.01  # differences


@dataclass(frozen=True)
class Point:
    """A trial of the best quarter: percent across, pixels down, its values in words."""

    x: float
    y: int
    title: str


@dataclass(frozen=True, kw_only=True)
class NumberDrawing:
    """A number: the prior as an area, ticks of all trials, points and bracket of the best."""

    density: str
    ticks: str
    points: Sequence[Point]
    bracket: str
    low: str
    high: str


@dataclass(frozen=True, kw_only=True)
class OptionBar:
    """An option: its share of the prior and of the best quarter, in percent."""

    name: str
    prior: float
    best: float
    count: str


@dataclass(frozen=True, kw_only=True)
class ParamCard:
    """One hyperparameter.

    chip: the ruling; "" where nothing is said yet.
    trust: the sampler's trust in the prior, "" where it has none or is not known.
    strong, text: the sentence below the drawing, its first words and the others.
    """

    name: str
    strong: str = ""
    text: str = ""
    chip: str = ""
    tone: str = ""
    trust: str = ""
    label: str = ""
    number: NumberDrawing | None = None
    options: Sequence[OptionBar] = ()


@dataclass(frozen=True)
class EvidencePanel:
    """A card for each hyperparameter; before there are enough trials none, and the reason.

    known: the sampler's knowledge of the priors, in lines.
    """

    cards: Sequence[ParamCard] = ()
    empty: str = ""
    known: Sequence[str] = ()

    @property
    def has_trust(self) -> bool:
        """Whether any card says how far its prior is trusted."""
        return any(card.trust for card in self.cards)


def evidence(overview: Overview, view: View) -> EvidencePanel:
    """Build the panel of priors and evidence."""
    found, study = overview.evidence, overview.study
    lines = [*told(overview.knowledge, study), *guaranteed_lines(found.guaranteed, study)]
    if not len(study.space):
        return EvidencePanel(empty="Nothing is searched: every hyperparameter has one value.")
    if found.missing:
        more = numbers.counted(found.missing, "more finished trial", "more finished trials")
        early = f"After {FEWEST} finished trials: {more} to go."
        return EvidencePanel(empty=early, known=lines)
    cards = [_trusted(_card(param, study), overview.knowledge) for param in found.params]
    return EvidencePanel(cards, known=lines)


def _trusted(card: ParamCard, knowledge: Knowledge) -> ParamCard:
    """Return a card with the sampler's trust in the prior."""
    if card.name not in knowledge.trust:
        return card
    trust = f"trust {share(knowledge.trust[card.name])}"
    return replace(
        card, trust=trust if card.name in knowledge.believed else f"{trust}, not believed"
    )


def _card(param: ParamEvidence, study: Study) -> ParamCard:
    found, where = param.found, _condition(param.when)
    if found is None:
        count = f"{param.trials} of {FEWEST} finished trials have it{where}"
        return ParamCard(name=param.name, strong="Too early.", text=count)
    if isinstance(found, OptionEvidence):
        return _option_card(param.name, found, where, study)
    return _number_card(param.name, found, where, study)


def _number_card(name: str, found: NumberEvidence, where: str, study: Study) -> ParamCard:
    is_whole = isinstance(study.space.get(name), Int)
    low, middle, high = (_value(each, is_whole) for each in found.bracket)
    strong = low if low == high else f"{low} to {high}"
    text = f"holds the middle 80 % of the best {found.best_count}{where}"
    if found.center is not None:
        text += f"; their median {middle} {_beside(found, is_whole)}"
    return ParamCard(
        name=name,
        strong=strong,
        text=text,
        chip=str(found.ruling),
        tone=TONES.get(found.ruling, ""),
        label=f"{name}: {strong} {text}",
        number=_drawing(found, is_whole),
    )


def _beside(found: NumberEvidence, is_whole: bool) -> str:
    """Say where the middle of the best lies, seen from the prior's center."""
    center, middle = found.center or 0.0, found.bracket[1]
    if _value(center, is_whole) == _value(middle, is_whole):
        return "is the prior's own"
    side = "above" if middle > center else "below"
    if found.log:
        times = max(middle, center) / min(middle, center)
        return f"lies {times:.1f} times {side} the prior's {_value(center, is_whole)}"
    return f"lies {side} the prior's {_value(center, is_whole)}"


def _drawing(found: NumberEvidence, is_whole: bool) -> NumberDrawing:
    scale = Scale(found.low, found.high, found.log)
    tallest = max(FULL_DENSITY, *found.density)
    last = len(found.density) - 1
    outline = "".join(
        f"L{100 * index / last:.1f} {GROUND - TALLEST * each / tallest:.1f}"
        for index, each in enumerate(found.density)
    )
    low, _, high = (100 * scale.to_unit(each) for each in found.bracket)
    return NumberDrawing(
        density=f"M0 {GROUND}{outline}L100 {GROUND}Z",
        ticks="".join(f"M{100 * scale.to_unit(each):.1f} 41v4" for each in found.seen),
        points=[
            Point(
                x=round(100 * scale.to_unit(value), 1),
                y=33 - APART * (index % ROWS),
                title=f"#{number}: {_value(value, is_whole)}",
            )
            for index, (number, value) in enumerate(found.best)
        ],
        bracket=f"M{low:.1f} 48V51H{high:.1f}V48",
        low=_value(found.low, is_whole),
        high=_value(found.high, is_whole),
    )


def _option_card(name: str, found: OptionEvidence, where: str, study: Study) -> ParamCard:
    strong, text = _contrast(found.contrast, study)
    leads = found.ruling is Ruling.LEADS and found.contrast is not None
    leader = numbers.short(found.contrast.leader) if found.contrast else ""
    bars = [
        OptionBar(
            name=numbers.short(each.option),
            prior=round(100 * each.weight, 1),
            best=round(100 * each.best / found.best_count, 1),
            count=f"{each.best} of {found.best_count}",
        )
        for each in found.options
    ]
    return ParamCard(
        name=name,
        strong=strong,
        text=text + where,
        chip=f"{leader} leads" if leads else str(found.ruling),
        tone=TONES.get(found.ruling, ""),
        label=f"{name}, of the best {found.best_count}: "
        + ", ".join(f"{bar.name} {bar.count}" for bar in bars),
        options=bars,
    )


def _contrast(contrast: Contrast | None, study: Study) -> tuple[str, str]:
    """Return the sentence on two options: its first words and the others."""
    if contrast is None:
        return "Nothing to compare:", " no two options have two finished trials each that differ"
    leader, other = numbers.short(contrast.leader), numbers.short(contrast.other)
    one, two = contrast.trials
    by, low, high = _differences(contrast.better_by, contrast.low, contrast.high)
    counted = f"({low} to {high}; {one} and {two} trials)"
    if not contrast.is_clear:
        return "No difference seen", f" between {leader} and {other} {counted}"
    side = "lower" if study.direction == "minimize" else "higher"
    return f"{leader} reads {by} {side}", f" than {other} {counted}"


def _differences(*values: float) -> list[str]:
    """Format differences with three decimals, with two digits where all of them are small."""
    is_small = max(map(abs, values)) < SMALL
    return [numbers.short(each) if is_small else numbers.decimals(each) for each in values]


def _value(value: float, is_whole: bool) -> str:
    return numbers.whole(round(value)) if is_whole else numbers.short(float(value))


def _condition(when: Mapping[str, Value]) -> str:
    if not when:
        return ""
    return ", where " + " and ".join(
        f"{name} is {numbers.short(value)}" for name, value in when.items()
    )
