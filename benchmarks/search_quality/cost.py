"""Figures of what a draw costs beside many finished trials."""

import time
from collections.abc import Iterator
from random import Random

import optuna
from optuna.samplers import TPESampler
from optuna.trial import create_trial

from benchmarks.figures import Figure, Target, middle
from benchmarks.search_quality.beliefs import believed
from benchmarks.search_quality.contenders import Ours, study_of
from benchmarks.search_quality.landscape import draw_config
from benchmarks.search_quality.landscapes import noisy
from dashboards.analysis.distributions import distributions
from spaces.space import Space, TrialConfig
from storage.rows import Way

OVER_TPE, SECONDS = 1.2, 0.3
SIZES = {200: 30, 5000: 12}  # finished trials -> draws that are timed
WAYS = (Way.MODEL_WITH_PRIOR, Way.MODEL)


def cost(samplers: list[str], share: float = 1.0) -> Iterator[Figure]:
    """Time draws of our samplers and of Optuna's TPE in turn, on twelve parameters.

    share: of the trials and draws, for a quick look.
    """
    landscape = noisy(0)
    for full, draws in SIZES.items():
        trials, draws = max(20, round(full * share)), max(3, round(draws * share))
        random = Random(trials)
        done = [draw_config(landscape.space, random) for _ in range(trials)]
        values = [landscape.measure(config, str(at)) for at, config in enumerate(done)]
        plain = _Plain(landscape.space, done, values)
        for name in samplers:
            ours = _filled(believed(landscape, "offset", 0), name, done, values, draws)
            pairs = [(_timed(ours, trials + at), plain.timed()) for at in range(draws)]
            seconds, base = middle(pair[0] for pair in pairs), middle(pair[1] for pair in pairs)
            beside = {"ours, s": seconds.median, "Optuna TPE, s": base.median}
            at = f"{name}, {trials:,} finished"
            is_tpe = name == "tpe"
            yield Figure(
                row="cost",
                name="a draw over Optuna TPE's",
                at=at,
                value=middle(ours / theirs for ours, theirs in pairs),
                target=Target(OVER_TPE) if is_tpe else None,
                beside=beside,
            )
            if not is_tpe:
                yield Figure(
                    row="cost", name="s of a draw", at=at, value=seconds, target=Target(SECONDS)
                )


class _Plain:
    """A study of Optuna's with finished trials, and its TPE."""

    def __init__(self, space: Space, done: list[TrialConfig], values: list[float]) -> None:
        self._space, declared = space, distributions(space)
        self._study = optuna.create_study(sampler=TPESampler(seed=0))
        for config, value in zip(done, values, strict=True):
            known = {name: declared[name] for name in config}
            self._study.add_trial(create_trial(params=config, distributions=known, value=value))

    def timed(self) -> float:
        """Draw one configuration, which fails, and return the seconds it took."""
        started = time.perf_counter()
        trial = self._study.ask()
        self._space.suggest(trial)
        seconds = time.perf_counter() - started
        self._study.tell(trial, state=optuna.trial.TrialState.FAIL)
        return seconds


def _filled(
    space: Space, sampler: str, done: list[TrialConfig], values: list[float], more: int
) -> Ours:
    ours = Ours(study_of(space, trials=len(done) + more, seed=0, sampler=sampler))
    for number, (config, value) in enumerate(zip(done, values, strict=True)):
        ours.arrays.claim(number)
        ours.arrays.draw(number, config, WAYS[number % 2])
        ours.arrays.tell(number, value)
    return ours


def _timed(ours: Ours, number: int) -> float:
    started = time.perf_counter()
    ours.ask(number)
    seconds = time.perf_counter() - started
    ours.arrays.fail(number)
    return seconds
