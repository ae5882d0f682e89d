"""The epochs of one training in order, those of earlier attempts first."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from objectives.contract import CLOCK_ENDING, Attempt, ContractError, EpochResult, Repeated
from objectives.own.left import newest_left


class Unrecorded(Exception):
    """The code goes on behind epochs whose numbers nobody has, from files that are of no use."""


def in_order(
    results: Iterable[EpochResult], earlier: Sequence[EpochResult], *, resumes: bool
) -> Iterator[EpochResult]:
    """Yield every epoch from the first on, one by one.

    Code that goes on at a later epoch does not yield those before: they are the recorded ones. Code
    that yields nothing has no epoch left to train. An epoch that it yields twice with the same
    numbers is passed over.
    Raises ContractError for epochs that are not counted 1, 2, 3, and Unrecorded where epochs before
    the first are missing although the code did right.

    earlier: the recorded epochs, in order.
    resumes: whether the code had files to go on from.
    """
    last: EpochResult | None = None
    for result in results:
        if last is None:
            yield from _before(result.epoch, earlier, resumes)
        elif _numbers(result) == _numbers(last):
            continue
        else:
            _check_next(last, result)
        yield result
        last = result
    if last is None:
        yield from _repeated(earlier)


def from_older_files(attempt: Attempt) -> Attempt:
    """Return the attempt as it goes on from what was left before the files that it went on from.

    It begins at the first epoch where nothing was left before.
    """
    folders = list(attempt.earlier)
    if attempt.resume_from in folders:
        folders = folders[: folders.index(attempt.resume_from)]
    return replace(attempt, resume_from=newest_left(folders))


def is_recorded(result: EpochResult, earlier: Sequence[EpochResult]) -> bool:
    """Say whether an epoch that was not trained again is recorded, with these numbers.

    earlier: the recorded epochs, in order.
    """
    known = earlier[result.epoch - 1 : result.epoch]
    return isinstance(result, Repeated) and any(
        _numbers(each) == _numbers(result) for each in known
    )


def check_metric(result: EpochResult, metric: str) -> None:
    """Raise ContractError for an epoch without the study's metric."""
    if metric in result.metrics:
        return
    reported = ", ".join(result.metrics)
    if not reported:
        raise ContractError(f"epoch {result.epoch} reported no metric", f"report {metric}")
    raise ContractError(
        f"epoch {result.epoch} reported {reported}, not {metric}",
        f"name one of them as the study's metric or report {metric}",
    )


def _before(epoch: int, earlier: Sequence[EpochResult], resumes: bool) -> Iterator[EpochResult]:
    known = [result for result in earlier if result.epoch < epoch]
    if len(known) == epoch - 1:
        yield from _repeated(known)
    elif resumes:
        raise Unrecorded(f"it goes on at epoch {epoch}, and {len(known)} before it are known")
    else:
        raise ContractError(
            f"the first epoch is {epoch}, and {len(known)} are recorded",
            "count epochs from 1, or go on from what `resume_from` names and nothing else",
        )


def _check_next(last: EpochResult, result: EpochResult) -> None:
    if result.epoch == last.epoch:
        found = f"epoch {result.epoch} was reported twice, with different numbers"
        raise ContractError(found, "report each epoch once")
    if result.epoch != last.epoch + 1:
        found = f"epoch {result.epoch} was reported after epoch {last.epoch}"
        raise ContractError(found, "report each epoch once, and count them 1, 2, 3")


def _numbers(result: EpochResult) -> tuple[int, str]:
    """Return what is the same in two results of an epoch with the same numbers, times left out."""
    names = [name for name in sorted(result.metrics) if not name.endswith(CLOCK_ENDING)]
    return result.epoch, repr([(name, result.metrics[name]) for name in names])  # NaN is NaN


def _repeated(results: Iterable[EpochResult]) -> Iterator[Repeated]:
    for result in results:
        yield Repeated(**vars(result))
