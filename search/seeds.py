"""Seeds that depend on the study and the trial alone, never on the worker or the moment."""

import hashlib


def derive_seed(*parts: int | str) -> int:
    """Compute a seed in [0, 2**32) from the parts alone, the same on every machine."""
    text = "/".join(map(str, parts))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def training_seed(study_seed: int, number: int) -> int:
    """Compute the seed with which every attempt at trial `number` trains."""
    return derive_seed(study_seed, number, "train")
