"""The model of a study, by its name in the study file."""

from collections.abc import Mapping

from search.samplers.model import DrawRequest, Model, ModelClass
from search.samplers.tpe import TPE
from spaces.sampling import FIRST_OF_TPE


class _LoadedGP:
    """The Gaussian process, loaded at its first draw: what it takes of SciPy takes .5 s."""

    name = "gp"

    def __call__(self, request: DrawRequest) -> Model:
        from search.samplers.gp.model import GP

        return GP(request)


MODELS: Mapping[str, ModelClass] = {"tpe": TPE, "gp": _LoadedGP()}


def model_of(sampler: str, ended: int) -> ModelClass | None:
    """Return the model that draws after `ended` trials; None for draws at random.

    sampler: the word of the study.
    """
    if sampler == "random":
        return None
    return MODELS[better_model(ended) if sampler == "auto" else sampler]


def better_model(ended: int) -> str:
    """Return the name of the model that draws the better trials after `ended` ones."""
    return "tpe" if ended >= FIRST_OF_TPE else "gp"
