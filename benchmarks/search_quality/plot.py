"""The courses of the contenders as a picture: regret over trials, a panel per prior."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from benchmarks.search_quality.choosing import NONE, Pair, Regrets
from benchmarks.search_quality.contenders import CONTENDERS
from benchmarks.search_quality.measures import FLOOR

PANEL_INCHES = 3.0
MOST_PANELS = 3  # in a row


def draw(found: Mapping[Pair, Regrets], path: Path) -> None:
    """Write an SVG: the geometric mean over landscapes of the median regret, trial by trial."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    # The same picture has the same bytes, and its words stay words.
    mpl.rcParams |= {"svg.hashsalt": "search", "svg.fonttype": "none"}
    with_priors = (belief for name, belief in found if CONTENDERS[name].takes_priors)
    beliefs = list(dict.fromkeys(with_priors)) or [NONE]
    across = min(MOST_PANELS, len(beliefs))
    down = -(-len(beliefs) // across)
    figure = Figure((across * PANEL_INCHES, down * PANEL_INCHES), layout="constrained")
    panels = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False)
    colours = dict(zip(CONTENDERS, mpl.colormaps["tab10"].colors, strict=False))
    for panel, belief in zip(panels.flat, beliefs, strict=False):
        for name in CONTENDERS:
            asked = belief if CONTENDERS[name].takes_priors else NONE
            if (name, asked) in found:
                course = _course(found[name, asked])
                panel.plot(
                    range(1, len(course) + 1), course, color=colours[name], label=name, lw=1.2
                )
        panel.set_title(f"prior: {belief}", fontsize=9)
        panel.set_yscale("log")
    panels[0, 0].legend(fontsize=7, frameon=False)
    figure.supxlabel("trials", fontsize=9)
    figure.supylabel("regret: 1 is a usual random configuration", fontsize=9)
    figure.savefig(path, format="svg", metadata={"Date": None})


def _course(regrets: Regrets) -> np.ndarray:
    medians = [np.maximum(np.median(each, axis=0), FLOOR) for each in regrets.values()]
    course: np.ndarray = np.exp(np.mean(np.log(medians), axis=0))
    return course
