"""The picture of docs/priors.md, from two real searches: `make priors`.

A small network reads scikit-learn's scanned digits; its learning rate and its width are searched,
by the sampler and the store that every study uses. One search has priors that are right, in the
other the learning rate is expected where nothing is learned. What is drawn is what they stored.
"""

import argparse
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from search.samplers.choose import sampler_for
from search.samplers.knowledge import LEAST_TRUST
from spaces.params import Float, Int, Value
from spaces.priors import Prior
from spaces.stored import StoredStudy, fingerprint, to_json
from spaces.study import Study
from storage.postgres import server
from storage.rows import NewStudy, NewWorker, Outcome, TrialEnd, TrialRow, Way
from storage.store import Claim, Store

PICTURE = Path(__file__).parents[1] / "docs" / "images" / "priors.svg"
TRIALS, EPOCHS, PIXELS_MOST = 40, 8, 16.0
RATE = Float("learning_rate", 1e-4, 1.0, log=True, prior=Prior(0.005, "medium"))
UNITS = Int("hidden_units", 4, 128, log=True, prior=Prior(32, "medium"))
RIGHT = Study(
    name="right",
    objective="toy_curve",  # stands for the network here
    metric="val_loss",
    direction="minimize",
    trials=TRIALS,
    space=[RATE, UNITS],
)
WRONG = replace(RIGHT, name="wrong", space=[replace(RATE, prior=Prior(3e-4, "high")), UNITS])
TITLES = {
    "right": "Both priors are right",
    "wrong": "That of the learning rate is wrong",
}
WITH_PRIOR = (Way.ENQUEUED, Way.PRIOR, Way.MODEL_WITH_PRIOR)
COLOURS = {"with": "#2f5fd0", "without": "#c4621a", "record": "#222222"}
LINES = {"learning_rate": ("#7a3fb3", "--"), "hidden_units": ("#3d8f5f", "-.")}


def main(words: Sequence[str] | None = None) -> None:
    """Run the searches and draw the picture."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.priors")
    parser.add_argument("--out", type=Path, default=PICTURE, help="the SVG file")
    out = parser.parse_args(words).out
    with (
        tempfile.TemporaryDirectory() as home,
        server.connect(Path(home), None) as url,
        Store.open(url) as store,
    ):
        found = {study.name: search(store, study) for study in (RIGHT, WRONG)}
    draw(found, out)
    print(f"{out}: {out.stat().st_size:,} bytes")


def search(store: Store, study: Study) -> list[TrialRow]:
    """Search with a worker that trains in this process; return every trial."""
    stored = StoredStudy(study)
    store.create(
        NewStudy(
            name=study.name,
            definition=to_json(stored),
            fingerprint=fingerprint(stored),
            data_fingerprint="none",
            direction=study.direction,
            trials=study.trials,
            queue=[study.space.mode()],
        )
    )
    store.register_worker(
        study.name, NewWorker(name=study.name, host="here", pid=1, device="cpu", threads=1)
    )
    while isinstance(claim := store.claim(study.name, study.name, lease_seconds=60), Claim):
        with store.trial(claim, partial(sampler_for, study, claim.number)) as trial:
            config = study.space.suggest(trial)
        end = TrialEnd(state="COMPLETE", value=loss(config), outcome=Outcome.FINISHED)
        store.tell(claim, end)
    return store.trials(study.name)


def loss(config: Mapping[str, Value]) -> float:
    """Train the network and return its loss on the images that it was not trained on."""
    from sklearn.metrics import log_loss
    from sklearn.neural_network import MLPClassifier

    train, val, train_labels, val_labels = _digits()
    network = MLPClassifier(
        (config["hidden_units"],),
        learning_rate_init=config["learning_rate"],
        batch_size=32,
        max_iter=EPOCHS,
        random_state=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # eight epochs are no convergence
        network.fit(train, train_labels)
    return float(log_loss(val_labels, network.predict_proba(val)))


def draw(found: Mapping[str, Sequence[TrialRow]], out: Path) -> None:
    """Write the picture: above what the trials came to, below what was known before each."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    mpl.rcParams |= {"svg.hashsalt": "search", "svg.fonttype": "none"}  # the same bytes each time
    figure = Figure((9.0, 5.6), layout="constrained")
    panels = figure.subplots(2, len(found), sharex=True, sharey="row")
    for column, (name, trials) in enumerate(found.items()):
        above, below = panels[0, column], panels[1, column]
        above.set_title(TITLES[name], fontsize=11)
        _draw_losses(above, trials)
        _draw_knowledge(below, trials)
        below.set_xlabel("trial")
    panels[0, 0].set_ylabel("loss of the trial")
    panels[1, 0].set_ylabel("record, trust")
    lines = [line for panel in panels[:, 0] for line in panel.get_legend_handles_labels()[0]]
    figure.legend(handles=lines, loc="outside lower center", ncols=2, fontsize=9, frameon=False)
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out, format="svg", metadata={"Date": None})


def _draw_losses(panel: Any, trials: Sequence[TrialRow]) -> None:
    for kind, is_with in (("with", True), ("without", False)):
        shown = [each for each in trials if _is_with_prior(each) is is_with]
        panel.scatter(
            [each.number for each in shown],
            [each.value for each in shown],
            s=16,
            color=COLOURS[kind],
            marker="o" if is_with else "x",
            label=f"drawn {kind} the priors",
        )
    panel.plot(
        [each.number for each in trials],
        np.minimum.accumulate([each.value for each in trials]),
        color="#999999",
        lw=1,
        drawstyle="steps-post",
        label="best so far",
    )
    panel.set_yscale("log")


def _draw_knowledge(panel: Any, trials: Sequence[TrialRow]) -> None:
    known = [(row.number, row.drawing.why) for row in trials if row.drawing and row.drawing.why]
    known = [(number, why) for number, why in known if "record" in why]
    numbers = [number for number, _ in known]
    panel.plot(
        numbers,
        [why["record"] for _, why in known],
        color=COLOURS["record"],
        lw=1.8,
        label="record: how clearly draws with them did better",
    )
    for name, (colour, style) in LINES.items():
        rights = [why["trust"][name] for _, why in known]
        label = f"trust in the prior of {name.replace('_', ' ')}"
        panel.plot(numbers, rights, color=colour, ls=style, lw=1.4, label=label)
    panel.axhline(LEAST_TRUST, color="#999999", lw=0.8, ls=":", label="below: not believed")
    panel.set_ylim(-0.03, 1.03)


def _is_with_prior(trial: TrialRow) -> bool:
    return trial.drawing is not None and trial.drawing.way in WITH_PRIOR


@cache
def _digits() -> Sequence[Any]:
    """Return images and labels, seven of ten for training."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    images, labels = load_digits(return_X_y=True)
    scaled = images / PIXELS_MOST
    train, val, train_labels, val_labels = train_test_split(
        scaled, labels, test_size=0.3, random_state=0, stratify=labels
    )
    return train, val, train_labels, val_labels


if __name__ == "__main__":
    main()
