"""Seeds that depend on what is drawn, never on who draws it or when."""

import hashlib


def derive_seed(*parts: int | str) -> int:
    """Give a seed in [0, 2**32) that the parts alone decide, on any machine."""
    text = "/".join(map(str, parts))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def training_seed(study_seed: int, number: int) -> int:
    """Give the seed with which trial `number` trains, whatever the attempt."""
    return derive_seed(study_seed, number, "train")
