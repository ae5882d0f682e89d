"""The results of an author's own code, as plain numbers or refused in one line with the fix."""

import math
import os
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from numbers import Complex, Real
from operator import index
from typing import Any

from objectives.contract import ContractError, EpochResult

YIELD = "yield EpochResult(epoch=1, metrics={...}) after each epoch"
MOST_SHOWN = 60  # characters of a value


def plain_results(returned: object) -> Generator[EpochResult, None, None]:
    """Yield the results of a generator with numbers of Python's own.

    Raises ContractError where it is no generator, or yields anything but results.
    """
    if not isinstance(returned, Iterator):
        raise ContractError(f"the objective returned {_shown(returned)}", f"let it {YIELD}")
    process = os.getpid()
    try:
        with exits_refused():
            for yielded in returned:
                _end_fork(process)
                yield plain_result(yielded)
    finally:
        _end_fork(process)
        if close := getattr(returned, "close", None):
            close()


def _end_fork(process: int) -> None:
    """End a process that the code forked and let run on: it has our connections in common."""
    if os.getpid() != process:
        os._exit(1)


@contextmanager
def exits_refused() -> Iterator[None]:
    """Raise ContractError where an author's code ends the program, such as by `sys.exit`."""
    try:
        yield
    except (SystemExit, KeyboardInterrupt) as error:
        said = f"{type(error).__name__}: {' '.join(str(error).split())}"
        raise ContractError(
            f"the objective ends the program ({said})", "return where it is over, or raise an error"
        ) from error


def plain_result(yielded: object) -> EpochResult:
    """Return a result with numbers of Python's own; numpy's and torch's scalars are converted."""
    if not isinstance(yielded, EpochResult):
        raise ContractError(f"the objective yielded {_shown(yielded)}", YIELD)
    epoch = _epoch(yielded.epoch)
    where = f"of epoch {epoch}"
    if not isinstance(yielded.metrics, Mapping):
        found = f"the metrics {where} are {_shown(yielded.metrics)}"
        raise ContractError(found, 'report a mapping such as {"val_loss": 0.41}')
    seconds = _number(f"seconds {where}", yielded.seconds)
    images = _number(f"images {where}", yielded.images)
    return EpochResult(
        epoch=epoch,
        metrics={
            _name(name, where): _number(f"{name} {where}", value)
            for name, value in yielded.metrics.items()
        },
        seconds=seconds if seconds > 0 and math.isfinite(seconds) else 0.0,
        images=int(images) if images > 0 and math.isfinite(images) else 0,
    )


def _epoch(value: Any) -> int:
    try:
        epoch = 0 if isinstance(value, bool) else index(value)
    except TypeError:
        epoch = 0
    if epoch < 1:
        raise ContractError(f"an epoch is {_shown(value)}", "count epochs 1, 2, 3")
    return epoch


def _name(name: object, where: str) -> str:
    # The database takes no zero byte and no half of a pair, neither of which can be printed.
    if not isinstance(name, str) or not name or not name.isprintable():
        raise ContractError(f"a metric {where} is called {name!r}", "give it a name in plain text")
    return name


def _number(what: str, value: Any) -> float:
    if hasattr(value, "detach"):  # torch warns of a tensor with a gradient
        value = value.detach()
    try:
        if _is_number(value):
            return float(value)
    except Exception as error:
        said = str(error).partition("\n")[0]
        raise ContractError(f"{what} is {_shown(value)} ({said})", "report a number") from error
    raise ContractError(f"{what} is {_shown(value)}", "report a number")


def _is_number(value: Any) -> bool:
    if isinstance(value, Complex) and not isinstance(value, Real):  # numpy's drop the second part
        return False
    is_truth = isinstance(value, bool) or str(getattr(value, "dtype", "")).endswith("bool")
    return not is_truth and getattr(value, "ndim", 0) == 0 and hasattr(value, "__float__")


def _shown(value: object) -> str:
    """Return a value with its kind, such as "a str, '0.41'"."""
    if value is None:
        return "None"
    kind = type(value).__name__
    article = "an" if kind[0].lower() in "aeiou" else "a"
    if getattr(value, "ndim", 0):
        return f"{article} {kind} of shape {tuple(getattr(value, 'shape', ()))}"
    text = " ".join(repr(value).split())
    return f"{article} {kind}, {text if len(text) <= MOST_SHOWN else text[:MOST_SHOWN] + '…'}"
