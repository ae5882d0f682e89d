"""Find the weights of a network in a file, whatever the file wraps around them.

Training scripts put weights under a key (`state_dict`, `model_state_dict`, `teacher`), and before
every name a prefix (`module.`, `model.`, `encoder_q.`). No list of them is needed: the place is
looked for at which the network's own names stand.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile
from typing import Any

import numpy as np
import torch
from torch import Tensor

State = dict[str, Tensor]
Keys = tuple[str, ...]

DEEPEST = 5  # keys above the weights; two are usual
COMMON = 0.2  # the share of names that makes a prefix one of a network's
# Under keys of these words the same names stand with other numbers, such as an optimizer's state.
NEVER_WEIGHTS = {
    *("optim", "optimizer", "optimizers", "optimiser", "optimisers", "opt"),
    *("sched", "scheduler", "schedulers", "scaler", "scalers", "velocity", "fisher"),
    *("grad", "grads", "gradient", "gradients", "buffer", "buffers"),
}
WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
# Layers behind the backbone, or beside it, that training scripts keep at the same level.
BESIDE = (
    *("head", "fc", "classifier", "last_layer"),
    *("projector", "projection_head", "predictor", "prototypes", "queue", "queue_ptr"),
    *("criterion", "loss_fn"),
)
# Of several copies of one network the best are preferred, then the averaged ones. But MoCo's and
# BYOL's own evaluations take the network that learned from gradients, not the one that follows it.
BEST = {"best"}
AVERAGED = {"ema", "teacher", "average", "averaged", "swa"}
LAST = {"student", "k", "key", "momentum", "target"}


@dataclass(frozen=True, kw_only=True)
class Place:
    """Tensors of a file that may be the weights of a network.

    keys: lead from the file's outermost mapping to theirs.
    prefix: what stands before each name; taken off in `state`.
    state: the tensors by name.
    unused: the names of the tensors around them, up to where they differ, with their number.
    renamed: how the names were turned into the network's, in words.
    """

    keys: Keys
    prefix: str
    state: State
    unused: Counter[str] = field(default_factory=Counter)
    renamed: str = ""

    @property
    def words(self) -> str:
        """The place in words, as `from state_dict without the prefix 'net.'`; empty at the top."""
        keys = f"from {'.'.join(self.keys)}" if self.keys else ""
        prefix = f"without the prefix {self.prefix!r}" if self.prefix else ""
        return " ".join(filter(None, (keys, prefix, self.renamed)))

    @property
    def rank(self) -> tuple[bool, ...]:
        """The order in which copies of one network are preferred, the smallest first."""
        words = _words(f"{'.'.join(self.keys)}.{self.prefix}")
        return bool(words & LAST), not words & BEST, not words & AVERAGED

    def without_beside(self, own: Iterable[str], heads: Sequence[str]) -> "Place":
        """Return the place without the layers that are no part of a backbone.

        own: the network's names, which stay.
        heads: the first parts of the names of its classifier.
        """
        known, outside = set(own), {*BESIDE, *heads}
        state = {
            name: value
            for name, value in self.state.items()
            if name in known or _first(name) not in outside
        }
        dropped = (_first(name) for name in self.state if name not in state)
        beside = Counter(first for first in dropped if first not in heads)
        return replace(self, state=state, unused=self.unused + beside)


def places(held: Mapping[Any, Any], own: Sequence[str]) -> list[Place]:
    """Find the places of a file at which the weights of a network may stand.

    own: the network's names.
    """
    return [place for keys, state in _states(held) for place in _places_in(keys, state, own)]


def by_position(state: State, children: Sequence[str]) -> State:
    """Rename the layers of an nn.Sequential, which are numbered, as the network names its own.

    children: the names of the network's layers that have weights, and then of its classifier.
    """
    numbers = sorted(filter(str.isdigit, set(map(_first, state))), key=int)
    named = dict(zip(numbers, children, strict=False))
    return {
        ".".join((named.get(first, first), rest)): value
        for name, value in state.items()
        for first, _, rest in [name.partition(".")]
    }


def _states(held: Mapping[Any, Any], keys: Keys = ()) -> Iterator[tuple[Keys, State]]:
    """Yield every mapping that holds tensors by name, with the keys that lead to it."""
    state = {
        name: tensor
        for name, value in held.items()
        if isinstance(name, str) and (tensor := _as_tensor(value)) is not None
    }
    if state:
        yield keys, state
    for key, value in held.items():
        inner = dict(enumerate(value)) if isinstance(value, list | tuple) else value
        if isinstance(inner, Mapping) and len(keys) < DEEPEST and not _is_never_weights(str(key)):
            yield from _states(inner, (*keys, str(key)))


def _as_tensor(value: object) -> Tensor | None:
    """Return a tensor as it is and an array of numbers as one; None for anything else."""
    if isinstance(value, np.ndarray) and value.dtype.kind in "fiub":
        return torch.from_numpy(value)
    return value if isinstance(value, Tensor) else None


def _is_never_weights(key: str) -> bool:
    return "exp_avg" in key or not _words(key).isdisjoint(NEVER_WEIGHTS)


def _words(name: str) -> set[str]:
    """Return the words of a name such as bestModel or optimizer_state, in small letters."""
    return {word.lower() for word in WORD.findall(name)}


def _places_in(keys: Keys, state: State, own: Sequence[str]) -> Iterator[Place]:
    best, common = _prefixes(state, own)
    for prefix in dict.fromkeys((*best, *common)):
        # Another copy of the network may stand below this one.
        copies = tuple(each for each in best if each != prefix and each.startswith(prefix))
        inside = {
            name.removeprefix(prefix): value
            for name, value in state.items()
            if name.startswith(prefix) and not (prefix in best and name.startswith(copies))
        }
        outside = state.keys() - {prefix + name for name in inside}
        unused = Counter(_up_to_difference(name, prefix) for name in state if name in outside)
        yield Place(keys=keys, prefix=prefix, state=inside, unused=unused)


def _prefixes(state: Iterable[str], own: Iterable[str]) -> tuple[list[str], list[str]]:
    """Find the prefixes behind which most of the network's names stand, and the common ones."""
    known, fitting, shared = set(own), Counter[str](), Counter[str]()
    names = list(state)
    for name in names:
        parts = name.split(".")
        for depth in range(len(parts)):
            prefix = "".join(f"{part}." for part in parts[:depth])
            shared[prefix] += 1
            fitting[prefix] += ".".join(parts[depth:]) in known
    most = max(fitting.values())
    best = [prefix for prefix in fitting if most and fitting[prefix] == most]
    return best, [prefix for prefix in shared if shared[prefix] >= COMMON * len(names)]


def _first(name: str) -> str:
    return name.split(".")[0]


def _up_to_difference(name: str, prefix: str) -> str:
    """Return the name's parts up to the first that the prefix does not have."""
    parts = name.split(".")
    same = takewhile(lambda pair: pair[0] == pair[1], zip(parts, prefix.split("."), strict=False))
    return ".".join(parts[: len(list(same)) + 1])
