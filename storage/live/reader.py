"""The readings of a live page beside a look, each one short transaction."""

from collections.abc import Collection

from storage.live import draws, history, hours, machines, outages, rungs, versions
from storage.live.draws import Draws
from storage.live.history import BestStep, ValueRow
from storage.live.hours import GpuTally
from storage.live.machines import MachineRow
from storage.live.moments import Moments
from storage.live.outages import OutageRow
from storage.live.rungs import RungLimit, RungRow
from storage.live.versions import StudyVersion
from storage.transaction import ONE_MOMENT


class LiveReader:
    """Methods that read what a page shows of a study; UnknownStudy for an unknown name."""

    _moments: Moments

    def study_versions(self) -> list[StudyVersion]:
        """Read every study with a text that changes when it does, oldest first."""
        with self._moments.transaction() as connection:
            return versions.every(connection)

    def best_steps(self, name: str) -> list[BestStep]:
        """Read the trials that were the best one when they ended, in the order of their ends.

        `history.add_steps` goes on from them with the trials that end later.
        """
        with self._moments.transaction() as connection:
            return history.best_steps(connection, self._moments.study(connection, name))

    def values(self, name: str, most: int) -> list[ValueRow]:
        """Read the ends of at most so many trials, at equal distances between their numbers."""
        with self._moments.transaction(ONE_MOMENT) as connection:
            return history.values(connection, self._moments.study(connection, name), most)

    def draws(self, name: str, before: Draws | None = None) -> Draws:
        """Count the draws of a study by their way, with the newest knowledge of the priors.

        before: an earlier reading, from which this one goes on: only what has changed is read.
        """
        with self._moments.transaction() as connection:
            return draws.draws(connection, self._moments.study(connection, name), before)

    def rungs(self, name: str, numbers: Collection[int] | None = None) -> list[RungRow]:
        """Read how some trials stood at their rungs, or all for None, in order."""
        with self._moments.transaction() as connection:
            return rungs.every(connection, self._moments.study(connection, name), numbers)

    def rung_limits(self, name: str, kin: str, one_in: int) -> list[RungLimit]:
        """Read the value at each rung that the next trial of a kin must not be worse than."""
        with self._moments.transaction() as connection:
            return rungs.limits(connection, self._moments.study(connection, name), kin, one_in)

    def gpu_seconds(self, name: str, before: GpuTally | None = None) -> GpuTally:
        """Add up where the time of the study's workers went.

        before: an earlier tally, from which this one goes on: only what has changed is read.
        """
        with self._moments.transaction(ONE_MOMENT) as connection:
            return hours.gpu_seconds(connection, name, before)

    def machines(self, name: str, silent_seconds: float, at_least: int = 1) -> list[MachineRow]:
        """Read the machines of a study with their shares of its work; none below `at_least`.

        silent_seconds: after which a worker without a trial counts as gone.
        """
        with self._moments.transaction() as connection:
            study = self._moments.study(connection, name)
            return machines.every(connection, study, silent_seconds, at_least)

    def outages(self, name: str, most: int = 50) -> list[OutageRow]:
        """Read the newest times in which workers trained without the database, latest end first."""
        with self._moments.transaction() as connection:
            return outages.newest(connection, self._moments.study(connection, name), most)
