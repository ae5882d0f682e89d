"""Six landscapes of different shapes; each seed moves the best configuration elsewhere."""

import math
from collections.abc import Callable, Mapping
from random import Random

import numpy as np
from scipy.stats import special_ortho_group

from benchmarks.search_quality.landscape import Landscape, draw_inside, offsets
from spaces.params import Choice, Float, Int, Toggle, Value
from spaces.space import Space, TrialConfig


def interacting(seed: int) -> Landscape:
    """Five parameters; the best learning rate depends on batch size, epochs and weight decay."""
    space = Space(
        (
            Float("learning_rate", 1e-5, 1e-1, log=True),
            Choice("batch_size", (32, 64, 128, 256)),
            Float("weight_decay", 1e-6, 1e-1, log=True),
            Int("epochs", 5, 40),
            Float("dropout", 0.0, 0.6),
        )
    )
    best, random = _best(space, seed)
    away, turned = offsets(space, best), random.choice((-1, 1))

    def loss(config: Mapping[str, Value]) -> float:
        d = away(config)
        rate = d["learning_rate"] - 0.35 * d["batch_size"] + 0.3 * turned * d["epochs"]
        decay = d["weight_decay"] + 0.6 * d["learning_rate"]
        return (
            3 * rate**2
            + 1.5 * decay**2
            + 0.3 * d["batch_size"] ** 2
            + 0.3 * d["epochs"] ** 2
            + 0.5 * (d["dropout"] - 0.3 * d["epochs"]) ** 2
        )

    return Landscape(name="interacting", space=space, best=best, true_loss=loss)


def conditional(seed: int) -> Landscape:
    """Seven parameters like those of `gleason`; a margin exists with LDAM alone."""
    space = Space(
        (
            Choice("backbone", ("resnet50", "resnet34", "densenet121")),
            Float("learning_rate", 1e-5, 1e-2, log=True),
            Choice("batch_size", (32, 64, 128, 256)),
            Int("epochs", 5, 20),
            Toggle("ldam"),
            Toggle("weighted_sampler"),
            Float("ldam_max_margin", 0.1, 0.8, when={"ldam": True}),
        )
    )
    best, random = _best(space, seed, ldam=True, weighted_sampler=False)
    away, shift = offsets(space, best), random.choice((-0.2, 0.2))

    def loss(config: Mapping[str, Value]) -> float:
        d, is_other = away(config), config["backbone"] != best["backbone"]
        rate = d["learning_rate"] - shift * is_other
        lost = 2.5 * rate**2 + 0.12 * is_other + 0.3 * d["batch_size"] ** 2 + 0.3 * d["epochs"] ** 2
        if config["ldam"]:
            return lost + 1.2 * d["ldam_max_margin"] ** 2 + 0.2 * bool(config["weighted_sampler"])
        return lost + (0.08 if config["weighted_sampler"] else 0.15)

    return Landscape(name="conditional", space=space, best=best, true_loss=loss)


def noisy(seed: int) -> Landscape:
    """Twelve parameters, few of which matter much, and a loss with noise."""
    space = Space(
        (
            *(Float(f"log_{place}", 1e-4, 1.0, log=True) for place in range(4)),
            *(Float(f"share_{place}", 0.0, 1.0) for place in range(3)),
            *(Int(f"count_{place}", 1, 12) for place in range(3)),
            Choice("kind", ("a", "b", "c", "d")),
            Toggle("switch"),
        )
    )
    best, random = _best(space, seed)
    away, weights = offsets(space, best), [0.75**place for place in range(len(space))]
    random.shuffle(weights)

    def loss(config: Mapping[str, Value]) -> float:
        d = away(config)
        numbers = sum(
            weight * d[param.name] ** 2
            for param, weight in zip(space, weights, strict=True)
            if isinstance(param, Float | Int)
        )
        others = sum(
            0.15 * weight * (config[param.name] != best[param.name])
            for param, weight in zip(space, weights, strict=True)
            if isinstance(param, Choice | Toggle)
        )
        return numbers + others

    return Landscape(name="noisy", space=space, best=best, true_loss=loss, noise=0.15)


def plateau(seed: int) -> Landscape:
    """Four parameters; most configurations learn nothing or diverge, all equally bad."""
    space = Space(
        (
            Float("learning_rate", 1e-6, 1.0, log=True),
            Float("momentum", 0.0, 0.99),
            Int("warmup_steps", 10, 5000, log=True),
            Choice("optimizer", ("sgd", "adam", "rmsprop")),
        )
    )
    best, _ = _best(space, seed)
    away = offsets(space, best)

    def loss(config: Mapping[str, Value]) -> float:
        d = away(config)
        is_other = config["optimizer"] != best["optimizer"]
        if d["learning_rate"] + 0.4 * d["momentum"] > 0.2:
            return 1.0
        near = d["learning_rate"] ** 2 + 0.5 * d["momentum"] ** 2 + 0.5 * d["warmup_steps"] ** 2
        return 1 - math.exp(-near / 0.06 - 0.5 * is_other)

    return Landscape(name="plateau", space=space, best=best, true_loss=loss)


def ordinal(seed: int) -> Landscape:
    """Seven whole numbers and categories: the shape of a network."""
    space = Space(
        (
            Int("layers", 1, 8),
            Int("width", 16, 1024, log=True),
            Int("kernel", 1, 9),
            Int("heads", 1, 8),
            Choice("activation", ("relu", "gelu", "silu", "tanh")),
            Choice("norm", ("batch", "layer", "none")),
            Choice("image_size", (64, 96, 128, 192, 256)),
        )
    )
    best, random = _best(space, seed)
    away = offsets(space, best)
    worse = {
        (name, option): random.uniform(0.05, 0.3) * (option != best[name])
        for name in ("activation", "norm")
        for option in space.get(name).choices
    }

    def loss(config: Mapping[str, Value]) -> float:
        d = away(config)
        return (
            2 * (d["layers"] + d["width"]) ** 2
            + 0.6 * abs(d["layers"]) ** 1.5
            + 0.8 * (d["image_size"] - 0.4 * d["kernel"]) ** 2
            + 0.4 * abs(d["kernel"]) ** 1.5
            + 0.3 * abs(d["heads"])
            + worse["activation", config["activation"]]
            + worse["norm", config["norm"]]
        )

    return Landscape(name="ordinal", space=space, best=best, true_loss=loss)


def valley(seed: int) -> Landscape:
    """Five real numbers; a bent valley along no axis, a hundred times as steep across as along."""
    space = Space(
        (
            *(Float(f"log_{place}", 1e-4, 1.0, log=True) for place in range(3)),
            *(Float(f"share_{place}", 0.0, 1.0) for place in range(2)),
        )
    )
    best, _ = _best(space, seed)
    away, turn = offsets(space, best), special_ortho_group.rvs(5, random_state=seed)
    steepness = np.logspace(0, 2, 5)

    def loss(config: Mapping[str, Value]) -> float:
        along = turn @ np.array([*away(config).values()])
        along[4] += 0.8 * along[0] ** 2
        return float(steepness @ along**2)

    return Landscape(name="valley", space=space, best=best, true_loss=loss)


LANDSCAPES: Mapping[str, Callable[[int], Landscape]] = {
    "interacting": interacting,
    "conditional": conditional,
    "noisy": noisy,
    "plateau": plateau,
    "ordinal": ordinal,
    "valley": valley,
}


def _best(space: Space, seed: int, **given: Value) -> tuple[TrialConfig, Random]:
    """Choose the best configuration, and return what is left of the stream of random numbers."""
    random = Random(f"landscape/{seed}")
    best: TrialConfig = {}
    for param in space:
        drawn = draw_inside(param, random)
        best[param.name] = given.get(param.name, drawn)
    return best, random
