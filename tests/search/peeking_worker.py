"""`search worker` whose objective looks at the test split before it trains: arguments as typed."""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from objectives import catalog, image_classifier
from objectives.contract import Attempt, EpochResult
from search.cli import main


def peek(config: Mapping[str, Any], attempt: Attempt) -> Iterator[EpochResult]:
    """Train as the image classifier does, with one look too many."""
    from objectives.sets.opened import open_images

    open_images(attempt, int(config["image_size"]))["test"]
    yield from image_classifier.train(config, attempt)


if __name__ == "__main__":
    known = catalog._ENTRIES
    known["image_classifier"] = replace(known["image_classifier"], train="__main__:peek")
    sys.exit(main(sys.argv[1:]))
