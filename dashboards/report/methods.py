"""A methods paragraph that may stand in a paper, made of what is stored and of nothing else."""

from collections.abc import Iterator
from importlib.metadata import version

from dashboards.analysis.methods.images import FOLDS, ImageCounts
from dashboards.analysis.methods.machines import package_name
from dashboards.analysis.methods.pruning import pruning_of
from dashboards.analysis.methods.sampler import guaranteed, order
from dashboards.analysis.methods.sections import and_so_on
from dashboards.analysis.numbers import counted, exact, interval, metric, short, whole
from dashboards.analysis.priors.declared import condition_of, prior_of, spreads, values_of
from dashboards.analysis.priors.words import counts, was_known
from dashboards.analysis.trials.measures import interval_of
from dashboards.report.facts import Facts
from dashboards.report.sources import sources
from objectives import catalog
from spaces.own import code_digest, noun_of
from spaces.rules.versions import in_words
from spaces.shown import shown
from spaces.stored import StoredStudy
from spaces.study import Study

SOFTWARE = ("search", "optuna", "torch", "python")
ON_SPLIT = " on the validation split"
BETTER = {"minimize": "lower is better", "maximize": "higher is better"}


def methods_paragraph(facts: Facts) -> str:
    """Describe how the study was done and what came out."""
    return " ".join(filter(None, _sentences(facts)))


def _sentences(facts: Facts) -> Iterator[str]:
    if facts.snapshot.stored.found.is_practice:
        yield "The images are generated practice data; the results say nothing about real ones."
    if facts.data:
        yield from _data(facts.data, facts.snapshot.look.study.data_fingerprint)
    yield _software(facts)
    yield _other_versions(facts.snapshot.stored)
    yield _changes_of_code(facts.snapshot.stored)
    yield _space(facts)
    yield from spreads(facts.snapshot.study.space)
    yield _order(facts)
    yield from guaranteed(facts.snapshot.study, be="was")
    yield _drawn(facts)
    yield _judging(facts)
    yield pruning_of(facts.snapshot.stored, be="was")
    yield _trials(facts)
    yield _best(facts)
    yield _test(facts)
    yield sources(facts.snapshot.stored, _is_sampler_known(facts))


def _data(data: ImageCounts, fingerprint: str) -> Iterator[str]:
    of_groups = f" of {counted(data.all_groups, 'group')}" if data.is_grouped else ""
    parts = and_so_on(_split(data, name) for name in data.splits)
    yield (
        f"The data were {counted(data.all_images, 'image')}{of_groups} in"
        f" {counted(len(data.classes), 'class', 'classes')} ({parts};"
        f" SHA-256 of the manifest {fingerprint[:16]})."
    )
    if data.is_grouped and data.are_apart:
        yield "No group had images in two splits" + (" or folds." if data.folds else ".")


def _split(data: ImageCounts, name: str) -> str:
    split = data.splits[name]
    groups = f" of {counted(split.all_groups, 'group')}" if data.is_grouped else ""
    where = f"{data.folds} folds" if name == FOLDS else name
    return f"{whole(split.all_images)}{groups} in {where}"


def _software(facts: Facts) -> str:
    versions = facts.machines.versions
    named = [
        f"{package_name(package)} {and_so_on(versions[package])}"
        for package in SOFTWARE
        if package in versions
    ]
    what = f"The hyperparameters of {_objective(facts.snapshot.stored)} were searched"
    return f"{what} with {and_so_on(named)}." if named else f"{what}."


def _objective(stored: StoredStudy) -> str:
    """Name the objective; an author's own code with its digest and its commit."""
    name, own = str(stored.study.objective), stored.found.own
    if not own:
        return name
    facts = [f"SHA-256 of its files {code_digest(own)}"] if own["files"] else []
    facts += [f"commit {own['commit'][:12]}"] if own["commit"] and own["is_clean"] else []
    known = f" ({', '.join(facts)})" if facts else ""
    return f"the {noun_of(stored.study.objective)} {name}{known}"


def _changes_of_code(stored: StoredStudy) -> str:
    accepted = stored.found.own.get("accepted", ())
    return f"Its code was changed {counted(len(accepted), 'time')} meanwhile." if accepted else ""


def _other_versions(stored: StoredStudy) -> str:
    """Name the versions that were accepted beside those of the study's creation, each once."""
    found = stored.found
    others = dict.fromkeys(
        in_words(each["versions"], found.versions) for each in found.accepted_versions
    )
    return f"Other versions were accepted on the way: {'; '.join(others)}." if others else ""


def _space(facts: Facts) -> str:
    study, objective = facts.snapshot.study, facts.snapshot.stored.objective
    if not len(study.space):
        return "No hyperparameter was searched."
    named = "; ".join(
        f"{param.name} ({values_of(param)}; prior {prior_of(param)}"
        + (f"; only when {when}" if (when := condition_of(param)) else "")
        + ")"
        for param in study.space
    )
    fixed = and_so_on(f"{name} {shown(exact(value))}" for name, value in study.fixed.items())
    has_others = catalog.describe(objective).fields is not None
    others = "; others kept their defaults" if has_others else ""
    kept = f" Fixed were {fixed}{others}." if fixed else ""
    return f"Searched were {named}.{kept}"


def _order(facts: Facts) -> str:
    """Say how values were drawn, where all workers were of the search that says it."""
    return " ".join(order(facts.snapshot.stored, be="were")) if _is_sampler_known(facts) else ""


def _is_sampler_known(facts: Facts) -> bool:
    return facts.machines.only("search") == version("search")


def _drawn(facts: Facts) -> str:
    """Say what is stored of the draws and of the priors."""
    knowledge = facts.overview.knowledge
    if not knowledge.ways:
        return ""
    drawn = counted(sum(knowledge.ways.values()), "trial")
    ways = f"{drawn} had been drawn: {and_so_on(counts(knowledge))}."
    return f"{ways} {was_known(knowledge)}".rstrip()


def _judging(facts: Facts) -> str:
    study = facts.snapshot.study
    where = f"the mean over {study.folds} folds of" if study.folds else "its"
    of_fold = " epoch of each fold" if study.folds else " epoch"
    return (
        f"A trial's value was {study.metric}{_measured(study)} ({BETTER[study.direction]}),"
        f" {where} {study.value}{of_fold}."
    )


def _measured(study: Study) -> str:
    """Return on what the study's metric was measured, as far as that is known."""
    noun = noun_of(study.objective)
    return f" as the {noun} reported it" if noun else ON_SPLIT


def _trials(facts: Facts) -> str:
    snapshot = facts.snapshot
    ways = and_so_on(f"{whole(ending.count)} {ending.outcome}" for ending in facts.endings)
    ended = f"{counted(snapshot.ended, 'trial')} of {snapshot.study.trials} had ended"
    more = sum(max(0, trial.attempts - 1) for trial in facts.lines.trials)
    again = f" Interrupted trials were continued {counted(more, 'time')}." if more else ""
    return f"{ended} ({ways}).{again}" if ways else f"{ended}."


def _best(facts: Facts) -> str:
    snapshot = facts.snapshot
    best, study = snapshot.best, snapshot.study
    if best is None:
        return ""
    values = and_so_on(f"{name} {shown(short(value))}" for name, value in best.params.items())
    between = interval(*interval_of(study, best))
    within = f" (95 % interval {between})" if between else ""
    finished = snapshot.finished
    on_split = "" if snapshot.stored.found.own else ON_SPLIT
    return (
        f"The best of {counted(finished, 'finished trial')}, number {best.number}, had"
        f" {study.metric} {metric(best.value)}{within} with {values or 'the fixed values'}; as the"
        f" best of several{on_split} it is likely to look better than it is."
    )


def _test(facts: Facts) -> str:
    if not facts.data or "test" not in facts.data.splits:
        return ""
    uses = len(facts.snapshot.look.test_uses)
    return (
        f"The test split had been opened {counted(uses, 'time')} when this was written."
        if uses
        else "No opening of the test split was recorded when this was written."
    )
