"""Examine a study before it runs: its data, then its splits, its networks and the speed."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from objectives import catalog
from objectives.contract import DataError, RecipeError
from objectives.data.checks.fix import mend
from objectives.data.problems import Undivided
from search.errors import UsageError
from search.settings import Settings
from search.studies.declare import Declared
from search.studies.examined import DataCheck, Examined, examined_rules
from search.studies.mismatch import mismatch
from search.studies.networks import check_networks
from search.studies.overrides import Overrides
from search.studies.prepare import read_data
from search.studies.progress import Progress, Steps, silent
from search.studies.reopen import as_it_began, find
from search.studies.rules import find_misfit
from search.studies.splits import split_file, split_note
from search.studies.throughput import measure
from spaces.errors import StudyError
from spaces.rules.finding import Finding
from spaces.stored import StoredStudy, from_json
from storage.store import Store, StudyRow


@dataclass(frozen=True, kw_only=True)
class Examination:
    """A study to examine, and how far.

    rules: the findings of the study's rules; after an error only the data are examined.
    mends: whether to write a split that mends the problems that a split can mend.
    networks: whether to build every network, which fetches missing weights.
    throughput: whether to measure loader and model, which takes some ten seconds.
    """

    declared: Declared
    rules: Sequence[Finding]
    overrides: Overrides
    settings: Settings
    mends: bool = False
    networks: bool = False
    throughput: bool = False
    progress: Progress = silent


def examine(examination: Examination, store: Store | None) -> Examined:
    """Examine data, splits, networks and speed in turn; each as far as those before it allow.

    store: where the study may be stored already.
    Raises UsageError for a stored study whose splits are to be mended.
    """
    stored = examination.declared.stored
    examined = examined_rules(stored, examination.rules, examination.overrides)
    examined = replace(examined, skipped=_skipped_checks(stored, None))
    can_train = examined.course is not None
    try:
        examined = _with_data(examination, examined, store)
        if can_train and examined.data:
            prepared = examined.data.prepared
            misfit = find_misfit(stored, prepared.summary)
            examined = replace(examined, rules=[*misfit, *examination.rules])
            if examination.networks and not misfit:
                examined = replace(examined, weights=check_networks(stored))
            if examination.throughput and not misfit:
                examination.progress("measuring loader and model", 0, None)
                examined = replace(examined, throughput=measure(prepared, examination.settings))
    except Undivided as error:
        examined = replace(examined, listed=error.problems, trouble=error.why)
    except (DataError, RecipeError, StudyError) as error:
        if str(error) not in {finding.message for finding in examination.rules}:
            examined = replace(examined, trouble=error)
    return examined


def _with_data(examination: Examination, examined: Examined, store: Store | None) -> Examined:
    known = find(store, examined.study) if store else None
    if known:
        _check_declaration(examination, known)
    data = _check_data(examination, store)
    skipped = _skipped_checks(examination.declared.stored, known)
    examined = replace(examined, data=data, skipped=skipped)
    if examination.mends:
        examined = _mended(examination, examined, data)
    if examined.mended:
        data = _check_data(examination, store)
    manifest, folder = data.prepared.manifest, examination.declared.folder
    return replace(
        examined,
        data=data,
        mismatch=mismatch(known, manifest, folder, store) if store and known else "",
        split_note=split_note(data.prepared.source.partition, examination.settings, examined.study),
    )


def _check_declaration(examination: Examination, known: StudyRow) -> None:
    if examination.mends:
        raise UsageError(
            f"study {known.name!r} is stored with its splits, which stay",
            f"start a new one: `search check --fix --as {known.name}-2`, then"
            f" `search run --as {known.name}-2`",
        )
    as_it_began(known, examination.declared.stored, examination.overrides)


def _check_data(examination: Examination, store: Store | None) -> DataCheck:
    """Read the data and check them in one pass; DataError where they cannot be read."""
    began = time.monotonic()
    steps, cache = Steps("images", examination.progress), examination.settings.cache
    prepared = read_data(examination.declared, examination.settings, store, steps)
    problems = catalog.check_data(
        prepared.stored.objective,
        prepared.source,
        prepared.manifest,
        cache=cache,
        progress=steps.step,
    )
    return DataCheck(
        prepared=prepared,
        problems=problems,
        seconds=time.monotonic() - began,
        opened=steps.count,
    )


def _skipped_checks(declared: StoredStudy, known: StudyRow | None) -> set[str]:
    """Return the rules that are skipped, by this command or by the stored study."""
    stored = from_json(known.definition).found.skipped_checks if known else ()
    return {*declared.found.skipped_checks, *stored}


def _mended(examination: Examination, examined: Examined, data: DataCheck) -> Examined:
    """Write a split that mends the problems that a split can mend, if there are any.

    Where there is no such split, the examination goes on and the error is its `trouble`.
    """
    if not any(problem.can_fix for problem in data.problems):
        return examined
    out = split_file(examination.settings, examined.study)
    out.parent.mkdir(parents=True, exist_ok=True)
    prepared = data.prepared
    try:
        mended = mend(
            prepared.source,
            prepared.manifest,
            data.problems,
            out=out,
            cache=examination.settings.cache,
        )
    except DataError as error:
        return replace(examined, trouble=error)
    return replace(examined, mended=mended)
