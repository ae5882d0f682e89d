"""A search of SMAC or NePS, asked and told by lines of JSON; run by `peers.py`.

This file runs in another environment: it imports nothing of this repository.
"""

import json
import sys
import tempfile
import warnings


def main() -> None:
    """Answer each line: the first one begins the search, the others ask for a trial or tell one."""
    begun = json.loads(sys.stdin.readline())
    search = {"smac": Smac, "neps": Neps}[sys.argv[1]](**begun)
    answer({})
    for line in sys.stdin:
        said = json.loads(line)
        if "ask" in said:
            answer(search.ask(said["ask"]))
        else:
            search.tell(said["tell"], said["value"])
            answer({})


def answer(words):
    """Write a line, whatever the library prints."""
    sys.__stdout__.write(json.dumps(words) + "\n")
    sys.__stdout__.flush()


def has_prior(param):
    """Say whether a parameter has a prior."""
    if "weights" in param:
        return len(set(param["weights"])) > 1
    return param["center"] is not None


class Smac:
    """SMAC's facade for hyperparameters (a random forest), with priors as its example has them."""

    def __init__(self, params, trials, seed):
        from ConfigSpace import ConfigurationSpace
        from smac import HyperparameterOptimizationFacade as Facade
        from smac import Scenario
        from smac.acquisition.function import PriorAcquisitionFunction

        self.folder = tempfile.TemporaryDirectory()
        space = ConfigurationSpace(seed=seed)
        space.add([self.parameter(param) for param in params])
        scenario = Scenario(
            space,
            n_trials=trials,
            deterministic=True,
            seed=seed,
            output_directory=self.folder.name,
        )
        chosen = {}
        if any(has_prior(param) for param in params):
            plain = Facade.get_acquisition_function(scenario)
            chosen["acquisition_function"] = PriorAcquisitionFunction(
                acquisition_function=plain, decay_beta=trials / 10
            )
            chosen["initial_design"] = Facade.get_initial_design(
                scenario, additional_configs=[space.get_default_configuration()]
            )
        self.smac = Facade(
            scenario,
            lambda _config, seed: float(seed),
            intensifier=Facade.get_intensifier(scenario, max_config_calls=1),
            overwrite=True,
            logging_level=False,
            **chosen,
        )
        self.asked = {}

    def parameter(self, param):
        """Build a parameter; a bell on a log scale has its spread as a factor."""
        import ConfigSpace

        name = param["name"]
        if "weights" in param:
            options = list(range(len(param["weights"])))
            best = max(options, key=param["weights"].__getitem__)
            return ConfigSpace.CategoricalHyperparameter(
                name, options, weights=param["weights"], default_value=best
            )
        low, high, log = param["low"], param["high"], param["log"]
        if param["center"] is None:
            kind = (
                ConfigSpace.UniformIntegerHyperparameter
                if param["whole"]
                else ConfigSpace.UniformFloatHyperparameter
            )
            return kind(name, lower=low, upper=high, log=log)
        spread = param["spread"]
        sigma = (high / low) ** spread if log else (high - low) * spread
        kind = (
            ConfigSpace.NormalIntegerHyperparameter
            if param["whole"]
            else ConfigSpace.NormalFloatHyperparameter
        )
        return kind(name, mu=param["center"], sigma=sigma, lower=low, upper=high, log=log)

    def ask(self, number):
        """Ask for a configuration."""
        self.asked[number] = info = self.smac.ask()
        return {name: float(value) for name, value in dict(info.config).items()}

    def tell(self, number, value):
        """Tell its value."""
        from smac.runhistory.dataclasses import TrialValue

        self.smac.tell(self.asked.pop(number), TrialValue(cost=value, time=1.0))


class Neps:
    """NePS's piBO; a prior's confidence is a word, and options have one prior option."""

    def __init__(self, params, trials, seed):
        import random

        import neps
        import numpy as np
        import torch
        from neps import algorithms

        random.seed(seed)
        np.random.seed(seed)
        torch.manual_seed(seed)
        space = {param["name"]: self.parameter(neps, param) for param in params}
        self.search = neps.AskAndTell(algorithms.pibo(neps.SearchSpace(space)))
        self.asked = {}

    def parameter(self, neps, param):
        """Build a parameter."""
        if "weights" in param:
            options = [str(option) for option in range(len(param["weights"]))]
            given = {}
            if has_prior(param):
                best = max(options, key=lambda option: param["weights"][int(option)])
                given = {"prior": best, "prior_confidence": "medium"}
            return neps.HPOCategorical(options, **given)
        kind = neps.HPOInteger if param["whole"] else neps.HPOFloat
        given = {}
        if param["center"] is not None:
            center = round(param["center"]) if param["whole"] else param["center"]
            given = {"prior": center, "prior_confidence": "medium"}
        return kind(param["low"], param["high"], log=param["log"], **given)

    def ask(self, number):
        """Ask for a configuration."""
        self.asked[number] = trial = self.search.ask()
        return {name: float(value) for name, value in trial.config.items()}

    def tell(self, number, value):
        """Tell its value."""
        self.search.tell(self.asked.pop(number), value)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    sys.stdout = sys.stderr  # only answers go to the one who asks
    main()
