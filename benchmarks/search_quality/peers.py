"""Searches of other libraries, each in an interpreter of its own that has them installed.

    python3.11 -m venv build/peers
    build/peers/bin/pip install smac==2.4.1 \\
        neural-pipeline-search==0.17 botorch==0.12.0 gpytorch==1.13 torch==2.15.0

`peer.py` runs there: a line of JSON asks, a line of JSON answers.
"""

import json
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from spaces.params import Choice, Float, Int, Param, Toggle, Value
from spaces.priors import UNIT_SPREAD
from spaces.space import Space, TrialConfig

PYTHON = Path("build/peers/bin/python")
SCRIPT = Path(__file__).with_name("peer.py")
# The word for `peer.py`, which is also the module that must be installed.
PEERS: Mapping[str, str] = {"SMAC": "smac", "NePS piBO": "neps"}


@cache
def missing(name: str) -> str | None:
    """Say why a library cannot be run here; None where it can."""
    if not PYTHON.exists():
        return f"there is no {PYTHON}; benchmarks/search_quality/peers.py says how to make it"
    done = subprocess.run(
        [PYTHON, "-c", f"import {PEERS[name]}"], capture_output=True, text=True, check=False
    )
    return done.stderr.strip().splitlines()[-1] if done.returncode else None


class Peer:
    """A search of another library."""

    def __init__(self, name: str, space: Space, trials: int, seed: int) -> None:
        self._space = space
        self._process = subprocess.Popen(
            [PYTHON, SCRIPT, PEERS[name]],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        params = [_plain(param) for param in space]
        self._say({"params": params, "trials": trials, "seed": seed})

    def ask(self, number: int) -> TrialConfig:
        """Ask for a configuration; parameters that do not exist in it are left out."""
        answer = self._say({"ask": number})
        config: TrialConfig = {}
        for param in self._space:
            if all(config.get(name) == value for name, value in param.when.items()):
                config[param.name] = _value(param, answer[param.name])
        return config

    def tell(self, number: int, value: float) -> None:
        """Tell the value."""
        self._say({"tell": number, "value": value})

    def _say(self, words: Mapping[str, Any]) -> dict[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(words) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def __del__(self) -> None:
        self._process.kill()
        self._process.communicate()


def _plain(param: Param) -> dict[str, Any]:
    """Describe a parameter; options are numbered, and numbers have their bell in shares."""
    match param:
        case Choice() | Toggle():
            return {"name": param.name, "weights": list(param.weights)}
        case Float() | Int():
            prior = param.prior
            return {
                "name": param.name,
                "whole": isinstance(param, Int),
                "low": param.low,
                "high": param.high,
                "log": param.log,
                "center": prior.center if prior else None,
                "spread": UNIT_SPREAD[prior.confidence] if prior else None,
            }
    raise TypeError(f"{param!r} is no parameter of a space")


def _value(param: Param, answer: float) -> Value:
    match param:
        case Choice():
            return param.choices[int(answer)]
        case Toggle():
            return bool(answer)
        case Int():
            return min(max(round(answer), param.low), param.high)
        case Float():
            return min(max(answer, param.low), param.high)
    raise TypeError(f"{param!r} is no parameter of a space")
