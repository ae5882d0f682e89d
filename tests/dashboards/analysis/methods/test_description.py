"""A study's data and methods in plain data: what was searched, on what, and how it was judged."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from dashboards.analysis.methods.description import describe, software, uses_of_test_split
from dashboards.analysis.methods.images import count_images
from dashboards.analysis.methods.machines import machines_of
from dashboards.analysis.methods.sampler import order
from dashboards.analysis.methods.sections import Phrase, Section
from spaces.data import NoData
from spaces.found import Found
from spaces.params import Choice, Int, Toggle
from spaces.script import Script
from spaces.stored import StoredStudy, fingerprint
from spaces.study import Pruning
from storage.rows import WorkerRow
from storage.split_uses import UseRow
from tests.dashboards.samples import STUDY, manifest, row

EVEN = [Choice("backbone", ("resnet50", "resnet34")), Int("epochs", 5, 20), Toggle("ldam")]
IMAGES = [
    ("Benign", "slide 1", "train", "0", "north"),
    ("Benign", "slide 1", "train", "0", "north"),
    ("Gleason 3", "slide 1", "train", "0", "north"),
    ("Gleason 3", "slide 2", "train", "0", "south"),
    ("Benign", "slide 3", "val", "0", "south"),
    ("Benign", "slide 4", "test", "0", "south"),
    ("Benign", "slide 5", "excluded", "0", "south"),
]


def sections(stored: StoredStudy, images: Sequence[tuple[str, ...]] = ()) -> Mapping[str, Section]:
    counts = count_images(manifest(images)) if images else None
    return {each.name: each for each in describe(row(stored), counts).sections}


def said(phrase: Phrase) -> str:
    return "".join(part if isinstance(part, str) else part.text for part in phrase)


def sentences(section: Section) -> str:
    return " ".join(map(said, section.sentences))


def table(section: Section) -> list[list[str]]:
    assert section.table
    return [list(section.table.headings), *(list(map(said, line)) for line in section.table.rows)]


def test_images_and_groups_are_counted_by_class_and_split() -> None:
    data = sections(StoredStudy(STUDY), IMAGES)["data"]

    assert table(data) == [
        ["class", "train", "val", "test"],
        ["Benign", "2 of 1", "1 of 1", "1 of 1"],
        ["Gleason 3", "2 of 2", "0 of 0", "0 of 0"],
        ["all", "4 of 2", "1 of 1", "1 of 1"],  # slide 1 has images of both classes
    ]
    assert sentences(data).endswith(
        "no group has images in two splits. They come from 2 sites. 1 listed image is in no split."
    )


@pytest.mark.parametrize(
    ("places", "folds"), [(("train", "val"), ("0", "0")), (("train", "train"), ("1", "2"))]
)
def test_a_group_in_two_splits_or_folds_is_said(
    places: tuple[str, str], folds: tuple[str, str]
) -> None:
    images = [("a", "p", place, fold) for place, fold in zip(places, folds, strict=True)]

    data = sections(StoredStudy(STUDY), images)["data"]

    assert "some groups have images in two splits" in sentences(data)


def test_images_without_groups_are_counted_alone() -> None:
    data = sections(StoredStudy(STUDY), [("a", "", "train"), ("b", "", "train")])["data"]

    assert table(data) == [["class", "train"], ["a", "1"], ["b", "1"], ["all", "2"]]
    assert sentences(data) == "Layout none."


def test_folds_are_counted_together() -> None:
    images = [("a", "", "train", "1"), ("b", "", "train", "2"), ("a", "", "test", "0")]

    data = sections(StoredStudy(replace(STUDY, folds=2)), images)["data"]

    assert table(data)[0] == ["class", "2 folds", "test"]
    assert table(data)[-1] == ["all", "2", "1"]


def test_a_study_without_data_has_no_part_about_them() -> None:
    assert "data" not in sections(StoredStudy(STUDY))


def test_every_searched_parameter_has_its_values_its_prior_and_its_condition() -> None:
    assert table(sections(StoredStudy(STUDY))["space"]) == [
        ["parameter", "values", "prior", "only when"],
        [
            "backbone",
            "resnet50, resnet34",
            "resnet50 80%, resnet34 20%",
            "",
        ],
        ["learning_rate", "1e−5 to 0.01, log", "around 0.0001, high confidence", ""],
        ["epochs", "5 to 20", "uniform", ""],
        ["ldam", "off, on", "on 30%", ""],
        ["ldam_max_margin", "0.1 to 0.8", "uniform", "ldam is on"],
    ]


def test_a_word_for_confidence_is_told_as_a_spread_where_it_is_used() -> None:
    told = sentences(sections(StoredStudy(STUDY))["space"])

    assert "standard deviation in parts of the range of 0.125 for high confidence." in told
    assert not sections(StoredStudy(replace(STUDY, space=EVEN)))["space"].sentences


def test_what_no_trial_draws_is_named_with_all_its_digits() -> None:
    found = Found(defaults={"epochs": 10, "stem": "small", "weight_decay": 0.0125})

    fixed = table(sections(StoredStudy(STUDY, found))["fixed"])[1:]

    assert fixed == [
        ["stem", "small"],
        ["weight_decay", "0.0125"],
        ["image_size", "224"],
        ["schedule", "none"],
    ]
    assert "fixed" not in sections(StoredStudy(replace(STUDY, fixed={})))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "val_loss on the validation split, lower is better, at a trial's best epoch. The "),
        ({"folds": 5}, "at a trial's best epoch of each fold; the trial's value is the mean over"),
        ({"pruning": Pruning(rule="none")}, "40 trials. No trial is stopped early."),
        ({"pruning": Pruning(rule="none"), "trials": 1}, "1 trial. No trial is stopped early."),
        (
            {"enqueue": [{"epochs": 9}]},
            "most probable values of the priors, then 1 given configuration.",
        ),
        ({"seed": 7, "sampler": "random"}, "The next ones are drawn uniformly. Seed 7."),
        ({"sampler": "tpe"}, "drawn from the priors and uniformly in turn; after that by a tree"),
        ({"sampler": "tpe"}, "estimator (TPE), with the priors that the trials support. Seed 0."),
        ({"sampler": "gp"}, "after that by a Gaussian process, with the priors that the trials"),
        ({"trials": 400, "sampler": "gp"}, "the trials support, up to 300 ended trials. Seed 0."),
        ({"sampler": "gp", "space": EVEN}, "drawn uniformly; after that by a Gaussian process. "),
        (
            {"at_least": {"ldam": 5}},
            "Every option of ldam is to get 5 finished trials; until then none of its trials is"
            " stopped early. Seed 0.",
        ),
    ],
)
def test_the_search_is_described_in_sentences(changes: Mapping[str, Any], words: str) -> None:
    assert words in sentences(sections(StoredStudy(replace(STUDY, **changes)))["search"])


@pytest.mark.parametrize(
    ("first", "words"),
    [
        (0, "after that by a tree-structured Parzen estimator (TPE), with"),
        (150, "after that by a Gaussian process up to 150 ended trials and a tree-structured"),
    ],
)
def test_the_model_that_a_study_leaves_open_is_named_with_its_limit(
    first: int, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashboards.analysis.methods.sampler.FIRST_OF_TPE", first)
    assert words in sentences(sections(StoredStudy(STUDY))["search"])


def test_a_study_of_promoted_trials_says_that_it_has_no_others() -> None:
    best = [{"epochs": 9}, {"epochs": 8}]
    promoted = replace(STUDY, enqueue=best, trials=2)

    said = list(order(StoredStudy(promoted, Found(promoted_from="derm")), be="were"))

    assert said == ["The trials were the best 2 configurations of derm, best first, and no others."]


def test_the_weights_that_a_study_starts_from_are_named_with_their_licence() -> None:
    record = {"file": "timm/net/model.safetensors", "sha256": "ab" * 32, "licence": "cc-by-nc-4.0"}

    weights = sections(StoredStudy(STUDY, Found(weights={"net pretrained": record})))["weights"]

    assert table(weights)[1] == [
        "net pretrained",
        "cc-by-nc-4.0",
        "timm/net/model.safetensors",
        "abababababab",
    ]


def test_study_and_data_are_named_by_their_fingerprints() -> None:
    assert table(sections(StoredStudy(STUDY))["fingerprints"])[1:] == [
        ["study", fingerprint(StoredStudy(STUDY))],
        ["data", "da7a" * 16],
    ]


def test_own_code_is_named_by_its_files_its_commit_and_its_changes() -> None:
    files = {f"part{number}.py": "1" * 64 for number in range(7)}
    own = {"fields": None, "deterministic": False, "files": files, "commit": "0123abcd" * 5}
    accepted = [{"at": "2026-11-28T09:05:00+00:00", "changed": ["part3.py"]}]
    study = replace(STUDY, objective=Script("python part0.py"), data=NoData())
    found = Found(own={**own, "is_clean": False, "accepted": accepted})
    described = describe(row(StoredStudy(study, found)), None)
    told = {each.name: each for each in described.sections}

    named = "part0.py, part1.py, part2.py, part3.py, part4.py and 2 more files"
    assert (
        table(told["fingerprints"])[-1][0] == f"code ({named}, commit 0123abcd0123, with changes)"
    )
    assert sentences(told["search"]).startswith("The script python part0.py is judged by val_loss")
    assert "was changed at 2026-11-28 09:05 UTC: part3.py." in " ".join(described.warnings)
    assert "no data: its own code reads them" in " ".join(described.warnings)


def test_the_uses_of_the_test_split_are_counted_and_listed() -> None:
    counts = count_images(manifest(IMAGES))
    moment = datetime(2026, 11, 28, 9, 5, tzinfo=UTC)
    use = UseRow(used_at=moment, used_by="ada", purpose="confirm", data_fingerprint="da7a")

    assert said(uses_of_test_split([], None).sentences[0]) == "The study declares no test split."
    assert "(1 image) was never opened." in said(uses_of_test_split([], counts).sentences[0])
    used = uses_of_test_split([use], counts)
    assert said(used.sentences[0]) == "The test split (1 image) was opened once."
    assert table(used)[1] == ["2026-11-28 09:05 UTC", "confirm", "ada"]


def test_the_devices_and_every_version_of_the_workers_are_listed() -> None:
    old = {"versions": {"torch": "2.14"}, "device_class": "H200", "commit": "abc"}
    new = {**old, "versions": {"torch": "2.15"}}

    section = software(machines_of([_worker(old), _worker(new), _worker(new)]))

    assert sentences(section) == "3 worker processes, restarts included, on 1 machine: H200 (3)."
    assert table(section)[1:] == [["PyTorch", "2.14, 2.15"], ["commit", "abc"]]
    assert sentences(software(machines_of([]))) == "No worker so far."


def _worker(machine: Mapping[str, Any]) -> WorkerRow:
    now = datetime(2026, 11, 28, tzinfo=UTC)
    return WorkerRow(
        worker="ada",
        host="host",
        pid=7,
        device="cuda:0",
        threads=1,
        machine=machine,
        started_at=now,
        seen_at=now,
        ended_at=None,
        exit_code=None,
        reason=None,
        trial=None,
        silent_seconds=0.0,
        is_overdue=False,
    )
