"""A place like a user's: a folder, a home, a Postgres of its own, and the real command line."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from search.cli import main
from search.settings import Settings
from storage.postgres import server
from tests.conftest import own_database
from tests.log_handlers import kept_log_handlers

TOY = """
from spaces.params import Float
from spaces.study import Study

study = Study(
    name="toy", objective="toy_curve", metric="val_loss", direction="minimize", trials=4,
    fixed={"epochs": 6, "seconds_per_epoch": 0.3},
    space=[Float("learning_rate", 1e-4, 1.0, log=True)],
)
"""


@dataclass
class Place:
    """A folder with the study file toy.py, in which commands are typed.

    database_url: of a database that its commands use; "" for the Postgres of its home.
    """

    folder: Path
    database_url: str = ""
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def settings(self) -> Settings:
        """What the commands read from their environment."""
        return Settings(home=self.folder / "home", database_url=self.database_url or None)

    @property
    def environment(self) -> dict[str, str]:
        """The variables from which the commands read it."""
        place = {"SEARCH_HOME": str(self.settings.home), "OMP_NUM_THREADS": "1"}
        return place | ({"SEARCH_DATABASE_URL": self.database_url} if self.database_url else {})

    def settings_with(self, url: str) -> Settings:
        """The same with a database of its own."""
        return Settings(home=self.folder / "home", database_url=url)

    def start(
        self,
        *words: str,
        environment: Mapping[str, str] | None = None,
        before: Sequence[str] = (),
    ) -> subprocess.Popen[bytes]:
        """Start a command without waiting for it.

        before: the words of a program that starts it.
        """
        kept = {key: value for key, value in os.environ.items() if not key.startswith("SEARCH_")}
        command = [*before, sys.executable, "-P", "-m", "search.cli", *words]
        self.started.append(
            subprocess.Popen(
                command,
                cwd=self.folder,
                env=kept | self.environment | dict(environment or {}),
                start_new_session=True,
            )
        )
        return self.started[-1]

    def start_run(
        self, name: str, *words: str, environment: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """Start `search run` of toy.py under a name with two workers, or go on with it."""
        rest = ("--workers", "2", "--no-dashboard", *words)
        return self.start("run", "--study", "toy.py", "--as", name, *rest, environment=environment)

    def search(
        self,
        *words: str,
        environment: Mapping[str, str] | None = None,
        timeout_seconds: float = 120,
    ) -> int:
        """Run a command to its end and give its exit code."""
        return self.start(*words, environment=environment).wait(timeout_seconds)

    def search_here(self, *words: str, environment: Mapping[str, str] | None = None) -> int:
        """Run a command in this process, where not the process but its result is tested."""
        with pytest.MonkeyPatch.context() as patch, kept_log_handlers():
            patch.chdir(self.folder)
            for name in [name for name in os.environ if name.startswith("SEARCH_")]:
                patch.delenv(name)
            for name, text in {**self.environment, **(environment or {})}.items():
                patch.setenv(name, text)
            return main(words)

    def postgres(self) -> list[psutil.Process]:
        """Give the processes of this home's Postgres."""
        data = server.status(self.settings.home).folder / "data"
        return [process for process in psutil.process_iter() if _works_in(process, data)]

    def leave(self) -> None:
        """End what was started here and remove the database."""
        for process in self.started:
            process.kill()
            process.wait()
        server.remove(self.settings.home)


@pytest.fixture(scope="module")
def make_place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Place]]:
    """Makes places, each with a home of its own; nothing of them is left behind."""
    places: list[Place] = []

    def make() -> Place:
        places.append(Place(tmp_path_factory.mktemp("place")))
        (places[-1].folder / "toy.py").write_text(TOY)
        return places[-1]

    yield make
    for place in places:
        place.leave()


@pytest.fixture(scope="module")
def place(make_place: Callable[[], Place]) -> Place:
    """The place that this file's tests share, each with a study of its own."""
    return make_place()


@pytest.fixture(scope="module")
def light_place(
    make_place: Callable[[], Place], database_server: str, template_url: str
) -> Iterator[Place]:
    """A place of this file whose studies are on the Postgres of all tests."""
    place = make_place()
    with own_database(database_server, template_url) as place.database_url:
        yield place


def _works_in(process: psutil.Process, folder: Path) -> bool:
    try:
        return process.cwd() == str(folder)
    except psutil.Error:
        return False
