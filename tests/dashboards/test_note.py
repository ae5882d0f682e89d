"""The note on a study's page describes the study, and its tables are whole."""

from dataclasses import replace

import pytest
from optuna_dashboard import get_note

from dashboards.note import PRACTICE, study_note, write_note
from spaces.load import load_study
from spaces.params import Choice, Float, Int, Toggle
from spaces.priors import Prior
from spaces.stored import Found, StoredStudy, fingerprint, to_json
from spaces.study import Pruning, Study
from storage.store import Store

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
COUNTS = {"train": {"Benign": 300, "Gleason 3": 41}, "val": {"Benign": 90}}


@pytest.mark.parametrize(
    "line",
    [
        "Does depth help?",
        "| class | train | val |",
        "| Benign | 300 | 90 |",
        "| Gleason 3 | 41 | 0 |",
        "| **all** | 341 | 90 |",
        "| `backbone` | resnet50, resnet34 | resnet50 80%, resnet34 20% |  |",
        "| `learning_rate` | 1e-05 to 0.01, log | around 0.0001, high confidence |  |",
        "| `epochs` | 5 to 20 |  |  |",
        "| `ldam` | off, on | on 30% |  |",
        "| `ldam_max_margin` | 0.1 to 0.8 |  | `ldam` is on |",
        "| `image_size` | 224 |",
        "| `schedule` | none |",
        f"Fingerprint `{fingerprint(StoredStudy(STUDY))}`",
    ],
)
def test_a_note_has_the_line(line: str) -> None:
    assert line in study_note(to_json(StoredStudy(STUDY)), COUNTS).splitlines()


def test_the_metric_is_explained_in_its_objectives_words() -> None:
    note = study_note(to_json(StoredStudy(STUDY)), COUNTS, "The ruler.")
    assert "`val_loss` on the validation split, lower is better, at a trial's best epoch" in note
    assert "epoch. The ruler." in note


def test_the_budget_says_when_a_trial_may_be_stopped() -> None:
    late = replace(STUDY, pruning=Pruning(first_epoch=5))
    never = replace(STUDY, pruning=Pruning(rule="none"))
    assert "is stopped, from epoch 5 on." in study_note(to_json(StoredStudy(late)), {})
    assert "40 trials; none is stopped early." in study_note(to_json(StoredStudy(never)), {})
    single = to_json(StoredStudy(replace(never, trials=1)))
    assert "\n1 trial; none is stopped early." in study_note(single, {})


def test_practice_data_is_said_before_anything_else() -> None:
    practice = StoredStudy(load_study("gleason")).for_practice()
    assert study_note(to_json(practice), COUNTS).startswith(PRACTICE)
    assert PRACTICE not in study_note(to_json(StoredStudy(STUDY)), COUNTS)


def test_checks_that_were_skipped_are_named_before_the_studys_own_words() -> None:
    skipping = StoredStudy(replace(STUDY, about="Why?"), Found(skipped_checks=("C01", "C03")))
    first, second, *_ = study_note(to_json(skipping), COUNTS).split("\n\n")
    assert first == "**Skipped checks of the data: C01, C03.**"
    assert second == "Why?"
    assert "Skipped checks" not in study_note(to_json(StoredStudy(STUDY)), COUNTS)


def test_a_searched_parameters_default_is_not_called_fixed() -> None:
    note = study_note(
        to_json(StoredStudy(STUDY, Found(defaults={"epochs": 10, "stem": "small"}))), {}
    )
    assert "| `stem` | small |" in note
    assert "| `epochs` | 10 |" not in note


def test_a_table_without_rows_is_left_out() -> None:
    assert "### Fixed" not in study_note(to_json(StoredStudy(replace(STUDY, fixed={}))), {})


def test_an_option_cannot_break_its_table() -> None:
    odd = replace(STUDY, space=[Choice("stem", ("a|b", "c"))])
    assert r"| `stem` | a\|b, c |  |  |" in study_note(to_json(StoredStudy(odd)), {})


def test_a_note_is_read_back_whole_and_written_once(store: Store) -> None:
    study = store.optuna_study("toy")
    for text in ("long " * 1000, "short", "short"):
        write_note(store, "toy", text)
        assert get_note(study) == text
    assert study._storage.get_study_system_attrs(study._study_id)["dashboard:note_ver"] == 2


def test_the_weights_that_a_study_starts_from_are_named_with_their_licence() -> None:
    record = {"file": "timm/net/model.safetensors", "sha256": "ab" * 32, "licence": "cc-by-nc-4.0"}
    note = study_note(to_json(StoredStudy(STUDY, Found(weights={"net pretrained": record}))), {})
    row = "| `net pretrained` | cc-by-nc-4.0 | timm/net/model.safetensors | `abababababab` |"
    assert row in note.splitlines()


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("a\nb", r"a\\nb"),
        ("a\u200bb", r"a\\u200bb"),
        ("a|b", r"a\|b"),
        ("*bold* _it_ in_word", r"\*bold\* \_it\_ in_word"),
        ("<b>x</b> &amp;", r"\<b\>x\</b\> \&amp;"),
        ("[a](b) `c` $d$ ~~e~~", r"\[a\](b) \`c\` \$d\$ \~\~e\~\~"),
        ("# 1", r"\# 1"),
        ("[click](javascript:alert(1))", r"\[click\](javascript:alert(1))"),
        ("![x](https://a.example/b.png)", r"!\[x\](https://a.example/b.png)"),
        ("läsion 2-1, grade (3)", "läsion 2-1, grade (3)"),
    ],
)
def test_a_name_is_shown_as_it_is_in_one_row(name: str, cell: str) -> None:
    note = study_note(to_json(StoredStudy(STUDY)), {"train": {name: 3}})

    assert f"| {cell} | 3 |" in note.splitlines()


def test_the_question_of_a_study_cannot_change_the_rest_of_its_note() -> None:
    odd = replace(STUDY, about="What?\n\n```\n# all | of | it")

    assert study_note(to_json(StoredStudy(odd)), {}).startswith(
        "What? \\`\\`\\` # all \\| of \\| it\n\n`image_classifier`"
    )


def test_a_path_of_weights_cannot_break_its_table() -> None:
    record = {"file": "a|b*.pt", "sha256": "ab" * 32, "licence": "mine"}
    note = study_note(to_json(StoredStudy(STUDY, Found(weights={"net w`|.pt": record}))), {})

    assert r"| `net w'\|.pt` | mine | a\|b\*.pt | `abababababab` |" in note.splitlines()
