"""`search run` and `search worker` with faults planted, for `search chaos` alone.

`python -P -m search.chaos.plant --orders FILE [--without GUARD] run|worker ...`; the words from
`run` or `worker` on are those of `search`. A normal worker cannot get here: it does not import this
module, and no environment variable does so.
"""

import sys
from argparse import REMAINDER, ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from search.cli import main as search
from search.settings import Settings
from storage.faults import GUARDS, ObedientStore
from storage.postgres.server import connect


def main(words: Sequence[str]) -> int:
    """Run a planted command and return its exit code."""
    planted = _parser().parse_args(words)
    if planted.words[0] == "worker":
        return search(planted.words, open_store=_opener(planted))
    return search(planted.words, worker_program=program(planted.orders, planted.without))


def program(orders: Path, without: str | None) -> list[str]:
    """Build the words that come before `run` or `worker`.

    orders: the file in which orders appear (storage/faults.py).
    without: the guard that the workers do without, or None.
    """
    switched_off = ["--without", without] if without else []
    # -P: a folder named `search` in the working directory must not be taken for this package.
    command = [sys.executable, "-P", "-m", "search.chaos.plant", "--orders", str(orders)]
    return [*command, *switched_off]


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="search.chaos.plant")
    parser.add_argument("--orders", type=Path, required=True)
    parser.add_argument("--without", choices=GUARDS)
    parser.add_argument("words", nargs=REMAINDER)
    return parser


def _opener(planted: Namespace) -> Callable[[Settings], AbstractContextManager[ObedientStore]]:
    kind = GUARDS.get(planted.without, ObedientStore)

    @contextmanager
    def open_planted(settings: Settings) -> Iterator[ObedientStore]:
        with connect(settings.home, settings.database_url) as url, kind.open(url) as store:
            store.obey(planted.orders)
            yield store

    return open_planted


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
