"""Which learning curves are drawn."""

from dataclasses import dataclass

from dashboards.analysis import numbers
from dashboards.analysis.curves.course import Course
from dashboards.analysis.curves.courses import Courses

ALIGNMENTS = {"share": "% of schedule", "epoch": "epoch", "minutes": "minutes"}


@dataclass(frozen=True, kw_only=True)
class Picture:
    """The curves that are drawn: of one metric, at one alignment.

    asked: the curve that the reader asked for.
    """

    courses: Courses
    asked: Course | None
    metric: str
    align: str
    is_lower_better: bool

    @property
    def running(self) -> list[Course]:
        """The running trials, in colour."""
        return [each for each in self.courses.running if self.has_value(each)]

    @property
    def best(self) -> list[Course]:
        """The best trials, best first."""
        return [each for each in self.courses.best if self.has_value(each)]

    @property
    def others(self) -> list[Course]:
        """The curve that was asked for, where it is none of those."""
        drawn = {each.number for each in (*self.running, *self.best)}
        is_other = self.asked and self.asked.number not in drawn and self.has_value(self.asked)
        return [self.asked] if self.asked and is_other else []

    @property
    def shown(self) -> list[Course]:
        """All of them."""
        return [*self.running, *self.best, *self.others]

    @property
    def sentence(self) -> str:
        """The drawing in a sentence."""
        parts = []
        if self.running:
            # Some may wait for their next attempt.
            parts.append(f"of {numbers.counted(len(self.running), 'open trial')}")
        if self.best:
            parts.append(f"of the best {len(self.best)}")
        whose = " and ".join(parts) or "of one trial"
        return f"{self.metric} {whose}, by {ALIGNMENTS[self.align]}"

    def has_value(self, course: Course) -> bool:
        """Say whether a course has a value of the metric."""
        return any(value is not None for value in course.values.get(self.metric, ()))
