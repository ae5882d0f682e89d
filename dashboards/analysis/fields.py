"""An overview as a JSON object for programs."""

from collections.abc import Iterator
from dataclasses import fields

from dashboards.analysis.frame import Field, with_badges
from dashboards.analysis.overview import Overview

PARTS = {"frame", "read_at"}


def overview_fields(overview: Overview) -> Iterator[Field]:
    """Yield what a study's page shows, as the fields of an object; its size is bounded."""
    frame, snapshot, look = overview.frame, overview.snapshot, overview.snapshot.look
    yield "study", snapshot.study.name
    yield "about", snapshot.study.about
    yield "read_at", overview.read_at
    yield "created_at", look.study.created_at
    yield "state", overview.verdict.state
    yield "verdict", overview.verdict.line
    yield "is_practice", snapshot.stored.found.is_practice
    yield "metric", snapshot.study.metric
    yield "direction", snapshot.study.direction
    yield "total", snapshot.study.trials
    yield "ended", snapshot.ended
    yield "outcomes", snapshot.outcomes
    yield "remaining_seconds", snapshot.remaining_seconds()
    yield "remaining_device_seconds", snapshot.remaining_device_seconds()
    yield "best", snapshot.best
    yield "ranking", look.ranking
    yield "trials", [with_badges(row, frame.badges) for row in frame.trials]
    yield "workers", snapshot.live_workers
    yield "identical_trials", frame.identical_trials
    yield "test_uses", look.test_uses
    for part in fields(overview):
        if part.name not in PARTS:
            yield part.name, getattr(overview, part.name)
