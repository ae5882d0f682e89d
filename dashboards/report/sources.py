"""The publications behind the methods that a study used, for its methods paragraph."""

from collections.abc import Iterator

from dashboards.analysis.methods.pruning import compares_folds, stops_at_rungs
from dashboards.analysis.methods.sampler import models_of
from dashboards.analysis.priors.declared import has_priors
from spaces.stored import StoredStudy

OPTUNA = "tables of trials: Optuna (Akiba et al. 2019, arXiv:1907.10902)"
MODELS = {
    "gp": (
        "Gaussian process with expected improvement (Jones, Schonlau and Welch 1998,"
        " doi:10.1023/A:1008306431147)"
    ),
    "tpe": (
        "tree-structured Parzen estimator (Bergstra et al. 2011, Advances in Neural Information"
        " Processing Systems 24)"
    ),
}
PRIORS = (
    "a prior's weight that falls with the trials, as in piBO (Hvarfner et al. 2022,"
    " arXiv:2204.11051)"
)
RUNGS = (
    "best third at each rung, after successive halving (Karnin, Koren and Somekh 2013, ICML;"
    " Jamieson and Talwalkar 2016, arXiv:1502.07943)"
)
FOLDS = "t-test of folds (Nadeau and Bengio 2003, doi:10.1023/A:1024068626366)"


def sources(stored: StoredStudy, is_sampler_known: bool) -> str:
    """Return the publications behind the methods of a study in one sentence.

    is_sampler_known: whether the values were drawn as this version of search says.
    """
    return f"Sources: {'; '.join(_sources(stored, is_sampler_known))}."


def _sources(stored: StoredStudy, is_sampler_known: bool) -> Iterator[str]:
    study = stored.study
    yield OPTUNA
    models = models_of(stored) if is_sampler_known else ()
    yield from (MODELS[name] for name in models)
    if models and has_priors(study.space):
        yield PRIORS
    if stops_at_rungs(stored):
        yield RUNGS
    if compares_folds(study):
        yield FOLDS
