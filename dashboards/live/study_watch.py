"""The watches of a study and of a trial."""

from collections.abc import Callable

from dashboards.analysis.overview import Overview, OverviewReader
from dashboards.live import render
from dashboards.live.pages.trial import TrialPage, TrialPageReader
from dashboards.live.source import Source
from dashboards.live.watch import Watch, Watches

TrialWatch = Watch[tuple[Overview, TrialPage]]


class StudyWatch(Watch[Overview]):
    """The readings of one study, with the curves that its viewers ask for."""

    def __init__(self, source: Source, name: str) -> None:
        self._reader = OverviewReader(source.store, name, source.artifacts)
        super().__init__(name, self._reader.read, render.panels)

    def with_curve(self, number: int | None) -> Overview:
        """Return the newest overview, with the curve of that trial if there is such a trial."""
        overview = self.newest()
        if number is None or number >= overview.snapshot.total or number in overview.courses.asked:
            return overview
        self._reader.ask(number)
        self.again()
        return self.newest()


def trial_watch(source: Source, studies: Watches[StudyWatch]) -> Callable[[str], TrialWatch]:
    """Return the function that begins the watch of a trial, by a key such as `gleason/12`."""

    def begin(key: str) -> TrialWatch:
        name, _, number = key.rpartition("/")
        reader = TrialPageReader(source, name, number)

        def read() -> tuple[Overview, TrialPage]:
            overview = studies.of(name).newest()
            return overview, reader.read(overview)

        return Watch(key, read, render.trial)

    return begin
