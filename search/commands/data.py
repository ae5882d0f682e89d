"""`search data make`: practice data for a study."""

import sys
from argparse import Namespace
from shlex import quote

from objectives.practice.make import make_practice
from search.settings import Settings
from search.terminal.console import Bar
from spaces.exits import DONE


def make(arguments: Namespace, settings: Settings) -> int:
    """Draw a study's practice set: the real layout and file names, generated images."""
    study, out = arguments.study, arguments.out
    dirt = arguments.dirt.split(",") if arguments.dirt else []
    with Bar(f"practice images for {study}") as bar:
        make_practice(
            study,
            out,
            images=arguments.images,
            seed=arguments.seed,
            dirt=dirt,
            progress=bar.move_to,
        )
    then = f"search {'check' if dirt else 'run'} --study {study} --data {quote(str(out))}"
    print(f"{out}: practice data for {study}. Next: {then}", file=sys.stderr)
    return DONE
