"""Record a table of real results: configurations of the digits study, trained to their last epoch.

    python -m benchmarks.search_quality.record --out benchmarks/search_quality/digits.parquet

The configurations are points of a scrambled Sobol sequence over the study's space, so that any
number of them covers it. One thread, seeds by the configuration's number, the study's own split. To
take twenty minutes and not three hours, the networks see 640 of the training images at 16 pixels
instead of the study's 32 (the scans have 8), and every tenth configuration has a ResNet-18, which
takes ten times as long. The file is written after each configuration, and a recording that was
broken off goes on where it stopped.
"""

import argparse
import tempfile
from bisect import bisect
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import accumulate, islice
from pathlib import Path
from typing import Any

import pandas as pd
from scipy.stats import qmc

from objectives import catalog
from objectives.contract import BALANCED_ACCURACY, RULER, Attempt, DataSource
from search.seeds import training_seed
from search.studies.declare import data_source
from spaces.params import Choice, Float, Int, Param, Toggle, Value
from spaces.priors import Scale
from spaces.shipped.digits import study

CONFIGURATIONS = 320
BACKBONES = Choice("backbone", {"small_cnn": 0.9, "resnet18": 0.1})
SMALLER = {"image_size": 16, "max_train_samples": 640}
WHOLE = ("number", "batch_size", "epochs", "epoch")
SEED = 15


def main(words: Sequence[str] | None = None) -> None:
    """Train the configurations that the file lacks and write it after each."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.search_quality.record")
    parser.add_argument("--out", type=Path, required=True, help="the Parquet file")
    parser.add_argument("--configurations", type=int, default=CONFIGURATIONS)
    chosen = parser.parse_args(words)
    rows = pd.read_parquet(chosen.out) if chosen.out.exists() else pd.DataFrame({"number": []})
    for number, drawn in enumerate(configurations(chosen.configurations)):
        if number in set(rows["number"]):
            continue
        rows = pd.concat([rows, pd.DataFrame(trained(number, drawn))], ignore_index=True)
        write(rows, chosen.out)
        last = rows.iloc[-1]
        print(f"{number}: {drawn}, {RULER} {last[RULER]:.3f}, {last.seconds:.1f} s", flush=True)


def configurations(count: int) -> Iterator[dict[str, Value]]:
    """Yield the first configurations of the sequence; they are the same for every count."""
    params = tuple(study.space.replaced({"backbone": BACKBONES}))
    sequence = qmc.Sobol(len(params), scramble=True, rng=SEED)
    for _ in range(count):
        point = sequence.random(1)[0].tolist()
        yield {each.name: _at(each, unit) for each, unit in zip(params, point, strict=True)}


def trained(number: int, drawn: Mapping[str, Value]) -> list[dict[str, Any]]:
    """Train one configuration and return a row per epoch."""
    config = {**study.fixed, **drawn, **SMALLER}
    train = catalog.load(study.objective)
    with tempfile.TemporaryDirectory() as folder:
        attempt = Attempt(
            folder=Path(folder),
            data=_listed(),
            seed=training_seed(study.seed, number),
        )
        return [
            {
                "number": number,
                **drawn,
                "epoch": result.epoch,
                RULER: result.metrics[RULER],
                BALANCED_ACCURACY: result.metrics[BALANCED_ACCURACY],
                "seconds": result.seconds,
            }
            # No further than the last epoch, where a picture and tables would be made.
            for result in islice(train(config, attempt), int(str(drawn["epochs"])))
        ]


def write(rows: pd.DataFrame, path: Path) -> None:
    """Replace the file as a whole; a reader never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    rows.astype(dict.fromkeys(WHOLE, "int64")).to_parquet(
        unfinished, compression="zstd", index=False
    )
    unfinished.replace(path)


@cache
def _listed() -> DataSource:
    return catalog.list_data(study.objective, data_source(study, None))


def _at(param: Param, unit: float) -> Value:
    """Return the value at a position of the range: uniform on its scale, choices by weight."""
    match param:
        case Float():
            return Scale(param.low, param.high, param.log).from_unit(unit)
        case Int():
            return min(param.low + int(unit * (param.high - param.low + 1)), param.high)
        case Toggle():
            return unit >= 0.5
        case Choice():
            upto = list(accumulate(param.weights))
            return param.choices[bisect(upto[:-1], unit * upto[-1])]
    raise TypeError(f"{param!r} is not a parameter of the digits study")


if __name__ == "__main__":
    main()
