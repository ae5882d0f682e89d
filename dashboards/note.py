"""The study note: it explains a study to people who open its page."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from spaces.params import Choice, Float, Int, Param, Toggle, Value
from spaces.pruning import PRUNING_RULES
from spaces.shown import shown
from spaces.stored import StoredStudy, data_to_json, fingerprint, from_json
from spaces.study import FIRST_JUDGED_FOLDS, Study
from storage.store import Store

PRACTICE = "**Practice data.** The images are generated: these results say nothing about real ones."
# What Markdown gives a meaning within a line, and at its begin; not the _ within a word.
MARKS = re.compile(r"[\\`*\[\]<>|~$&]|(?<![^\W_])_|_(?![^\W_])|^[#+=-]|(?<=\d)[.)](?=\s)")
BETTER = {"minimize": "lower is better", "maximize": "higher is better"}


def study_note(
    definition: Mapping[str, Any], counts: Mapping[str, Mapping[str, int]], meaning: str = ""
) -> str:
    """Describe a stored study in Markdown: its data, metric, space, fixed values and budget.

    counts: split -> class -> images.
    meaning: the objective's explanation of the metric, in a sentence.
    """
    stored = from_json(definition)
    study = stored.study
    parts = [
        PRACTICE if stored.found.is_practice else "",
        _skipped_checks(stored.found.skipped_checks),
        _literal(" ".join(study.about.split())),
        _metric(study, meaning),
        _budget(study),
        *_section("Data", _data(study, counts)),
        *_section("Searched", _space(study)),
        *_section("Fixed", _fixed(stored)),
        *_section("Weights to start from", _weights(stored.found.weights)),
        f"Fingerprint `{fingerprint(stored)}`",
    ]
    return "\n\n".join(part for part in parts if part)


def write_note(store: Store, study: str, text: str) -> None:
    """Store `text` as the note of the study's page, unless it is stored already."""
    from optuna_dashboard import get_note, save_note  # 1.5 s: it imports scikit-learn

    shown = store.optuna_writer(study)
    if get_note(shown) != text:
        save_note(shown, text)


def _skipped_checks(rules: Sequence[str]) -> str:
    return f"**Skipped checks of the data: {', '.join(rules)}.**" if rules else ""


def _metric(study: Study, meaning: str) -> str:
    where = "of each fold; the trial's value is the mean over them" if study.folds else ""
    return (
        f"`{study.objective}` is judged by `{study.metric}` on the validation split,"
        f" {BETTER[study.direction]}, at a trial's {study.value} epoch{where and ' ' + where}."
        f" {meaning}"
    ).rstrip()


def _budget(study: Study) -> str:
    rule, first = PRUNING_RULES[study.pruning.rule], study.pruning.first_epoch
    trials = "1 trial" if study.trials == 1 else f"{study.trials} trials"
    if study.folds > FIRST_JUDGED_FOLDS and rule.between_folds:
        return (
            f"{trials} of {study.folds} folds; from the third fold on,"
            f" {rule.between_folds} is stopped between folds."
        )
    if study.folds or not rule.between_epochs:
        return f"{trials}; none is stopped early."
    since = f"epoch {first}" if first else "the end of warm-up and a quarter of its schedule"
    return f"{trials}; {rule.between_epochs} is stopped, from {since} on."


def _section(title: str, content: str) -> Sequence[str]:
    return (f"### {title}", content) if content else ()


def _data(study: Study, counts: Mapping[str, Mapping[str, int]]) -> str:
    if not counts:
        return ""
    classes = dict.fromkeys(name for split in counts.values() for name in split)
    rows = [
        [_literal(name), *(split.get(name, 0) for split in counts.values())] for name in classes
    ]
    rows.append(["**all**", *(sum(split.values()) for split in counts.values())])
    return f"Layout `{data_to_json(study)['kind']}`.\n\n" + _table(["class", *counts], rows)


def _space(study: Study) -> str:
    rows = [[f"`{param.name}`", *_described(param), _condition(param)] for param in study.space]
    return _table(["parameter", "values", "prior", "only when"], rows)


def _described(param: Param) -> tuple[str, str]:
    """Return the values of a parameter and its prior, in words."""
    match param:
        case Float() | Int():
            prior = param.prior
            believed = f"around {prior.center:g}, {prior.confidence} confidence" if prior else ""
            return f"{param.low:g} to {param.high:g}" + (", log" if param.log else ""), believed
        case Choice():
            return ", ".join(map(_word, param.choices)), ", ".join(_shares(param))
        case Toggle():
            return "off, on", "" if param.prior == 0.5 else f"on {param.prior:.0%}"
    raise TypeError(f"a note has no words for {type(param).__name__}; add them here")


def _shares(choice: Choice) -> Iterator[str]:
    if isinstance(choice.options, Mapping):
        whole = sum(choice.weights)
        for option, weight in choice.options.items():
            yield f"{_word(option)} {weight / whole:.0%}"


def _condition(param: Param) -> str:
    return ", ".join(f"`{name}` is {_word(value)}" for name, value in param.when.items())


def _fixed(stored: StoredStudy) -> str:
    searched = stored.study.space.names
    kept = {name: value for name, value in stored.settled.items() if name not in searched}
    return _table(["parameter", "value"], [[f"`{name}`", _word(kept[name])] for name in kept])


def _weights(weights: Mapping[str, Mapping[str, str]]) -> str:
    """Build a table of the weight files with their licences and digests."""
    rows = [
        [
            _code(network),
            _literal(record["licence"]),
            _literal(record["file"]),
            f"`{record['sha256'][:12]}`",
        ]
        for network, record in weights.items()
    ]
    return _table(["network and weights", "licence", "file", "sha256"], rows)


def _word(value: Value) -> str:
    words = {True: "on", False: "off", None: "none"}
    return words[value] if value is None or isinstance(value, bool) else _literal(f"{value}")


def _table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    if not rows:
        return ""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def _literal(text: str) -> str:
    """Return a text that Markdown, HTML and formulas leave as it is, in one line."""
    return MARKS.sub(r"\\\g<0>", shown(text))


def _code(text: str) -> str:
    """Return a text as code within a table; a table takes no | in code either."""
    return "`" + shown(text).replace("`", "'").replace("|", r"\|") + "`"
