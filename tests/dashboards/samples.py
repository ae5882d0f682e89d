"""A study of every kind of parameter, its stored row, and a manifest of images."""

import csv
import io
from collections.abc import Iterable
from datetime import UTC, datetime

from spaces.params import Choice, Float, Int, Toggle
from spaces.priors import Prior
from spaces.stored import StoredStudy, fingerprint, to_json
from spaces.study import Study
from storage.rows import NewStudy, StudyRow

STUDY = Study(
    name="glands",
    objective="image_classifier",
    metric="val_loss",
    direction="minimize",
    about="Does depth help?",
    trials=40,
    fixed={"image_size": 224, "schedule": None},
    space=[
        Choice("backbone", {"resnet50": 8, "resnet34": 2}),
        Float("learning_rate", 1e-5, 1e-2, log=True, prior=Prior(1e-4, "high")),
        Int("epochs", 5, 20),
        Toggle("ldam", prior=0.3),
        Float("ldam_max_margin", 0.1, 0.8, when={"ldam": True}),
    ],
)
COLUMNS = ("path", "label", "class_index", "group", "site", "split", "fold", "sha1")


def row(stored: StoredStudy) -> StudyRow:
    """Return the row of a study that was just stored."""
    return StudyRow(
        name=stored.study.name,
        study_id=1,
        definition=to_json(stored),
        trials=stored.study.trials,
        fingerprint=fingerprint(stored),
        data_fingerprint="da7a" * 16,
        direction=stored.study.direction,
        stop=None,
        created_at=datetime(2026, 11, 28, tzinfo=UTC),
    )


def manifest(images: Iterable[tuple[str, ...]]) -> str:
    """Write a manifest: a class, a group ("" for none), a split, and perhaps fold and site each."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    classes: list[str] = []
    for number, (label, group, split, *rest) in enumerate(images):
        fold, site = (*rest, "0", "")[:2] if len(rest) < 2 else rest
        classes += [label] if label not in classes else []
        path = f"{number}.png"
        place = [classes.index(label), group or path, site, split, fold, "ab"]
        writer.writerow([path, label, *place])
    return text.getvalue()


def new_row(study: Study, images: str) -> NewStudy:
    """Return a study to be stored with the manifest of its images."""
    stored = StoredStudy(study)
    return NewStudy(
        name=study.name,
        definition=to_json(stored),
        fingerprint=fingerprint(stored),
        data_fingerprint="da7a" * 16,
        direction=study.direction,
        trials=study.trials,
        manifest=images,
    )
