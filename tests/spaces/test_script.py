"""Scripts as objectives: their commands, their placeholders, and how results leave them."""

import json

import pytest

from spaces.errors import StudyError
from spaces.load import load_study
from spaces.script import (
    Lines,
    Reports,
    Script,
    Table,
    unknown_placeholders,
    unseen_parameters,
)

PATTERN = r"epoch (\d+).*val_loss ([\d.]+)"


def test_a_text_is_parted_into_words_as_a_shell_does() -> None:
    script = Script("python train.py --note 'two words' \\\n --lr={lr} --json '{{}}'")

    assert script.command == (
        *("python", "train.py", "--note", "two words"),
        *("--lr={lr}", "--json", "{{}}"),
    )
    assert script.placeholders == ("lr",)
    assert str(script) == "python train.py --note 'two words' --lr={lr} --json {{}}"


def test_words_are_taken_as_they_are() -> None:
    assert Script(["bash", "-c", "echo $HOME > x"]).command == ("bash", "-c", "echo $HOME > x")


@pytest.mark.parametrize(
    ("declare", "fix"),
    [
        (lambda: Script(""), "write the program"),
        (lambda: Script([]), "write the program"),
        (lambda: Script("python 'train.py"), "close it"),
        (lambda: Script("python train.py > log.txt"), "write 'bash FILE'"),
        (lambda: Script("cd x && python train.py"), "write 'bash FILE'"),
        (lambda: Script("python train.py | tee log"), "write 'bash FILE'"),
        (lambda: Script("python train.py --data $DATA/x"), "write 'bash FILE'"),
        (lambda: Script("python train.py --data ~/x"), "write 'bash FILE'"),
        (lambda: Script("SEED=3 python train.py"), "write 'env SEED=3 ...'"),
        (lambda: Script("python train.py {lr:.3f}"), "write {lr}"),
        (lambda: Script("python train.py {lr"), "{{ or }} for a brace"),
        (lambda: Script("python train.py {}"), "{{ or }} for a brace"),
        (lambda: Script("python train.py '{\"lr\": 1}'"), "{{ or }} for a brace"),
        (lambda: Script(["python", 3]), "each item text"),
        (lambda: Script("x", runs_in="home"), "use study or trial"),
        (lambda: Script("x", grace_seconds=-1), "use 0 or more"),
        (lambda: Script("x", results="lines"), "give it a Reports or a Lines or a Table"),
        (lambda: Lines("epoch ("), "correct it"),
        (lambda: Lines(r"loss ([\d.]+)"), "name each"),
        (lambda: Lines(r"(\d+) (\d+) (\d+)"), "name each"),
        (lambda: Lines(PATTERN, metrics=("a", "b")), "name each"),
        (lambda: Lines(r"(\d+) (.) (.)", metrics=("a", "a")), "name each metric once"),
        (lambda: Lines(r"(?P<epoch>\d+) (\d+)"), "name all"),
        (lambda: Lines(r"(?P<val_loss>\d+)"), "name one `epoch`"),
        (lambda: Lines(PATTERN, counts_from=2), "use 1 or 0"),
        (lambda: Table("x.csv", columns=()), "name the columns"),
        (lambda: Table("x.csv", columns=("epoch",)), "name the columns"),
        (lambda: Table("{lr}/x.csv", columns=["a"]), "use {folder}"),
        (lambda: Script("x", results=Table("x.csv", columns=["a"])), "{folder}/x.csv"),
    ],
)
def test_a_script_that_cannot_be_used_is_refused_with_the_fix(declare: object, fix: str) -> None:
    with pytest.raises(StudyError) as refused:
        declare()

    assert fix in str(refused.value)


def test_a_table_of_one_trial_alone_may_lie_anywhere() -> None:
    table = Table("logs/*/metrics.csv", columns=["val_loss"])

    assert Script("x", results=table, runs_in="trial").reported("dice") == ("val_loss",)
    within = Table("{folder}/metrics.csv", columns={"dice": "val/dice"})
    assert Script("x", results=within).reported("dice") == ("dice",)


def test_groups_without_names_are_the_epoch_and_the_studys_metric() -> None:
    unnamed = Lines(PATTERN)
    named = Lines(r"(?P<dice>\S+) (?P<epoch>\d+)")
    listed = Lines(r"(\d+) (\S+) (\S+)", metrics=["val_loss", "dice"])

    assert unnamed.names("dice") == ("epoch", "dice")
    assert named.names("val_loss") == ("dice", "epoch")
    assert listed.names("dice") == ("epoch", "val_loss", "dice")
    assert Script("x", results=named).reported("val_loss") == ("dice",)
    assert Script("x").reported("val_loss") is None


def test_a_placeholder_that_nothing_fills_comes_with_the_nearest_name() -> None:
    script = Script("python train.py {learning_rte} {epochs} {config} {folder} {seed} {device}")

    unknown = unknown_placeholders(script, ["learning_rate", "epochs"])

    assert unknown == {"learning_rte": "did you mean 'learning_rate'?"}


def test_what_no_placeholder_hands_over_is_unseen_unless_the_script_can_read_a_file() -> None:
    lines, names = Lines(PATTERN), ["learning_rate", "width"]

    assert unseen_parameters(Script("x {width}", results=lines), names) == ["learning_rate"]
    assert unseen_parameters(Script("x {config}", results=lines), names) == []
    assert unseen_parameters(Script("x", results=Reports()), names) == []


@pytest.mark.parametrize(
    "results",
    [
        {"kind": "reports"},
        {"kind": "lines", "pattern": PATTERN, "counts_from": 0},
        {"kind": "table", "path": "{folder}/x.csv", "columns": {"val_loss": "val/loss"}},
    ],
)
def test_results_are_read_back_from_plain_mappings(results: dict[str, object]) -> None:
    script = Script(command=["python", "train.py"], results=results)

    told = json.loads(json.dumps(script.as_mapping("val_loss")))

    assert {key: told["results"][key] for key in results} == results
    assert told["command"] == ["python", "train.py"]
    with pytest.raises(StudyError, match="use reports, lines, table"):
        Script("x", results={"kind": "regex"})


def test_a_misspelt_import_is_answered_with_the_right_one(tmp_path) -> None:
    (tmp_path / "study.py").write_text("from spaces.script import Scrip\n")

    with pytest.raises(StudyError, match="import Script"):
        load_study(str(tmp_path / "study.py"))
