"""One problem, the scanned digits, trained by every kind of code: ours, a function, five scripts.

Each is killed, interrupted and begun again, and gives as many whole trials as it was asked for. The
good values come first, so that the bad ones after them are stopped.
"""

import importlib.util
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from sklearn.datasets import load_digits

from objectives.files.whole import write_text_whole
from search.database import open_store
from storage.store import Store
from tests.acceptance.conftest import Place
from tests.acceptance.digits_code import (
    BASH,
    FUNCTION,
    LIGHTNING,
    MODEL,
    ONE_EPOCH,
    SCRIPT,
    TRANSFORMERS,
    UNTOUCHED,
)
from tests.acceptance.own_code import kill, scripts_of, wait_for_epochs, workers_of

pytestmark = [pytest.mark.acceptance, pytest.mark.slow]

TRIALS, EPOCHS = 6, 4
STUDY = f"""
from spaces.data import Digits
from spaces.params import Float
from spaces.script import Lines, Script
from spaces.study import Study

study = Study(
    name="KIND", objective=OBJECTIVE, metric="METRIC", direction="minimize", trials={TRIALS},
    fixed={{"epochs": {EPOCHS}, MORE}}, space=[Float("learning_rate", 1e-5, 1.0, log=True)],
    enqueue=[{{"learning_rate": each}} for each in (0.5, 0.3, 0.2, 2e-5, 3e-5)],
)
"""


@dataclass(frozen=True)
class Kind:
    """Code of one kind: its objective in the study file, its files, and what must be installed."""

    objective: str
    files: dict[str, str]
    needs: str = "numpy"
    metric: str = "val_loss"
    more: str = ""


KINDS = {
    "ours": Kind(
        '"image_classifier", data=Digits()',
        {},
        more='"backbone": "small_cnn", "weights": "none", "image_size": 16, "batch_size": 256',
    ),
    "function": Kind('"train.py:train"', {"train.py": FUNCTION}),
    "script": Kind('Script("python train.py")', {"train.py": SCRIPT}),
    "untouched": Kind(
        r'Script("python train.py {learning_rate} {epochs}",'
        r' results=Lines(r"epoch (\d+).*val_loss ([\d.]+)"))',
        {"train.py": UNTOUCHED},
    ),
    "bash": Kind(
        "Script(['bash', 'train.sh', '{learning_rate}', '{folder}', '{resume_from}'])",
        {"train.sh": BASH.replace("EPOCHS", str(EPOCHS)), "one_epoch.py": ONE_EPOCH},
    ),
    "lightning": Kind('Script("python train.py")', {"train.py": LIGHTNING}, "lightning"),
    "transformers": Kind(
        'Script("python train.py")', {"train.py": TRANSFORMERS}, "transformers", "eval_loss"
    ),
}
SHORT = ("function", "script", "bash")
RUN = ("run", "--study", "study.py", "--no-dashboard")


@pytest.fixture(scope="module")
def place(light_place: Place) -> Place:
    """A place with the digits and the model."""
    images, labels = load_digits(return_X_y=True)
    split = {"x": images[:1200] / 16, "y": labels[:1200]}
    split |= {"val_x": images[1200:] / 16, "val_y": labels[1200:]}
    np.savez(light_place.folder / "digits.npz", **split)
    model = MODEL.replace("DIGITS", str(light_place.folder / "digits.npz"))
    write_text_whole(light_place.folder / "model.py", model)
    return light_place


def named(kinds: Sequence[str]) -> list[object]:
    """Mark the kinds that are run in the long form alone."""
    return [
        pytest.param(kind, marks=() if kind in SHORT else pytest.mark.full, id=kind)
        for kind in kinds
    ]


@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", named([*KINDS]))
def test_every_kind_of_code_is_killed_and_interrupted_without_loss(kind: str, place: Place) -> None:
    code = KINDS[kind]
    if importlib.util.find_spec(code.needs) is None:
        pytest.skip(f"needs {code.needs}")
    for name, text in code.files.items():
        write_text_whole(place.folder / name, text)
    words = {"KIND": kind, "OBJECTIVE": code.objective, "METRIC": code.metric, "MORE": code.more}
    text = re.sub("|".join(words), lambda match: words[match[0]], STUDY)
    write_text_whole(place.folder / "study.py", text)

    run = place.start(*RUN, "--workers", "2")
    with open_store(place.settings) as store:
        wait_for_epochs(store, kind, 2)
        kill(lambda: workers_of(run.pid))
        if "Script" in code.objective:
            wait_for_epochs(store, kind, 4)
            kill(lambda: scripts_of(place))
        wait_for_epochs(store, kind, 7)
        run.terminate()
        assert run.wait(120) == 75
        assert scripts_of(place) == []

        assert place.search_here(*RUN, "--workers", "1") == 0

        check(store, kind)
    assert scripts_of(place) == []


def check(store: Store, kind: str) -> None:
    """Check that all trials have ended, each curve is whole, and some were pruned."""
    trials = store.trials(kind)
    assert len(trials) == TRIALS
    assert {trial.outcome for trial in trials} == {"finished", "pruned"}
    for trial in trials:
        epochs = [row.epoch for row in store.epochs(kind, trial.number)]
        last = EPOCHS if trial.outcome == "finished" else max(epochs)
        assert epochs == [*range(1, last + 1)]
    ended = [row for row in store.attempts(kind) if row.reason in ("finished", "pruned")]
    assert len(ended) == TRIALS
