"""The time from a claimed trial to its script's first line, beside the bare interpreter's start.

`python -m benchmarks.script_start [--rounds 15] [--json]`, from the checkout.

Each script's first line writes down the machine's clock. It is started by turns as an objective,
and as a plain child process with the same command and environment.
"""

import argparse
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from benchmarks.figures import Figure, Target, middle, tell
from objectives.contract import OUTPUT_LOG, Attempt, DataSource
from objectives.script.environment import script_environment
from objectives.script.objective import script_objective
from spaces.script import Script

BEYOND_SECONDS = 0.3
# Each writes the time of day first, and reports an epoch then.
PYTHON = """import time; print(time.time(), flush=True)
from search.script import trial
trial.report(1, val_loss=1.0)
"""
BASH = """echo $EPOCHREALTIME; echo '{{"epoch": 1}}' >> ${{SEARCH_REPORT:-/dev/null}}"""
SCRIPTS = {"python": Script(["python", "-c", PYTHON]), "bash": Script(["bash", "-c", BASH])}


def main() -> None:
    """Measure both interpreters and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", action="store_true", help="no table")
    arguments = parser.parse_args()
    tell("script_start", figures(arguments.rounds), as_json=arguments.json)


def figures(rounds: int) -> Iterator[Figure]:
    """Measure each script so many times, by turns with its interpreter alone."""
    with tempfile.TemporaryDirectory() as folder:
        for name, script in SCRIPTS.items():
            pairs = [(ours(script, Path(folder)), bare(script)) for _ in range(rounds)]
            yield Figure(
                row=name,
                name="s to the first line, beyond the interpreter's own",
                at=f"{rounds} rounds",
                value=middle(first - second for first, second in pairs),
                target=Target(BEYOND_SECONDS),
                beside={
                    "ours": str(middle(first for first, _ in pairs)),
                    "alone": str(middle(second for _, second in pairs)),
                },
            )


def ours(script: Script, folder: Path) -> float:
    """Return the seconds from the claim to the first line of a script that runs as an objective."""
    attempt = Attempt(folder=folder, data=DataSource(layout={}))
    objective = script_objective(script.as_mapping("val_loss"), folder)
    started = time.time()
    with closing(objective({}, attempt)) as results:  # type: ignore[type-var]
        next(results)
        return float((folder / OUTPUT_LOG).read_text().split()[0]) - started


def bare(script: Script) -> float:
    """Return the seconds to the first line of a script that is a plain child process."""
    words = [word.format() for word in script.command]
    environment = script_environment(os.environ, {})
    started = time.time()
    done = subprocess.run(words, env=environment, stdout=subprocess.PIPE, check=True)
    return float(done.stdout.split()[0]) - started


if __name__ == "__main__":
    main()
