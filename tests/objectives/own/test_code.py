"""Code of an author's own: it is imported, described and compared, with every fault in one line."""

from pathlib import Path

import pytest

from objectives import catalog
from objectives.contract import Attempt, ContractError, DataSource, RecipeError
from objectives.own.imported import with_imports

TRAIN = """
from dataclasses import dataclass
from typing import Literal

import lengths
from objectives.contract import EpochResult
from objectives.recipe.fields import number, whole

print("imported")  # not into the answer


@dataclass(frozen=True, kw_only=True)
class Recipe:
    learning_rate: float = number(0.01, 1e-6, 1.0, "The step.")
    epochs: int = whole(3, 1, 9, "The length.", unit="epochs")
    depth: int
    kind: Literal["small", "large"] = "small"
    sizes: tuple[int, ...] = (1, 2)
    name: str | None = None

    def __post_init__(self):
        if self.depth == 13:
            raise ValueError("13 layers bring bad luck")


def train(recipe: Recipe, attempt):
    for epoch in range(1, lengths.doubled(recipe.epochs) + 1):
        yield EpochResult(epoch=epoch, metrics={"dice": recipe.depth / epoch}, seconds=0, images=0)


def unchecked(recipe, attempt):
    yield EpochResult(epoch=1, metrics=recipe, seconds=0, images=0)


def exits(recipe, attempt):
    yield EpochResult(epoch=1, metrics={"dice": 1.0})
    raise SystemExit("no data")


def exits_at_once(recipe, attempt):
    raise SystemExit(0)


def returns(recipe, attempt):
    return {"dice": 1.0}


def alone():
    pass
"""
BAD_HINT = """
from dataclasses import dataclass

@dataclass
class Recipe:
    depth: "Nope"

def train(recipe: Recipe, attempt):
    yield
"""
OWN = {"kind": "generator", "reference": "train.py:train"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with training code and a module beside it."""
    (tmp_path / "train.py").write_text(TRAIN)
    (tmp_path / "lengths.py").write_text("def doubled(epochs):\n    return 2 * epochs\n")
    return tmp_path


def test_a_dataclass_says_every_hyperparameter(folder: Path) -> None:
    fields = catalog.describe(catalog.read_code(OWN, folder)).fields
    assert fields is not None
    assert [*fields] == ["learning_rate", "epochs", "depth", "kind", "sizes", "name"]
    assert (fields["learning_rate"]["low"], fields["epochs"]["unit"]) == (1e-6, "epochs")
    assert fields["depth"]["required"]
    assert "default" not in fields["depth"]
    assert fields["kind"]["choices"] == ["small", "large"]
    assert fields["sizes"]["type"] == fields["name"]["type"] == "any"
    assert "default" not in fields["sizes"]
    assert fields["name"]["default"] is None


@pytest.mark.parametrize(
    ("config", "found"),
    [
        ({"depth": 2, "lr": 0.1}, "no parameter 'lr'; did you mean 'learning_rate'?"),
        ({"depth": 2, "epochs": 10}, "epochs is 10; choose a value from 1 to 9"),
        ({"depth": "two"}, "depth is 'two'; give it a whole number"),
        ({"depth": 2, "kind": "huge"}, "kind is 'huge'; choose one of small, large"),
        ({}, "depth has no value; fix it or search it"),
    ],
    ids=["unknown", "range", "type", "choice", "required"],
)
def test_a_configuration_is_checked_without_the_code(
    folder: Path, config: dict[str, object], found: str
) -> None:
    described = catalog.read_code(OWN, folder)
    (folder / "train.py").unlink()
    with pytest.raises(RecipeError, match=r"train\.py:train") as caught:
        catalog.check(described, config)
    assert found in str(caught.value)


def test_what_it_imports_from_its_folder_belongs_to_it(folder: Path) -> None:
    described = catalog.read_code(OWN, folder, folder / "cache")
    assert [*described["files"]] == ["lengths.py", "train.py"]
    assert catalog.changed_code(described, folder) == []
    (folder / "lengths.py").write_text("def doubled(epochs):\n    return 3 * epochs\n")
    assert catalog.changed_code(described, folder) == ["lengths.py"]
    assert catalog.read_code(OWN, folder, folder / "cache")["files"] != described["files"]


def test_a_module_that_has_no_file_belongs_to_no_code(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = "import sys, types\nops = sys.modules['ops'] = types.ModuleType('ops')\n"
    (folder / "train.py").write_text(f"{made}ops.__file__ = '_ops.py'  # as torch's\n{TRAIN}")
    monkeypatch.chdir(folder)
    assert [*catalog.read_code(OWN, folder)["files"]] == ["lengths.py", "train.py"]


def test_what_a_function_imports_when_it_is_called_belongs_to_it(folder: Path) -> None:
    (folder / "parts").mkdir()
    (folder / "parts" / "__init__.py").write_text("")
    (folder / "parts" / "unet.py").write_text("from . import blocks\nfrom .heads import head\n")
    (folder / "parts" / "blocks.py").write_text("")
    (folder / "parts" / "heads.py").write_text("head = 1\n")
    late = TRAIN.replace("    for epoch", "    from parts import unet\n\n    for epoch")
    (folder / "train.py").write_text(late)
    files = [*catalog.read_code(OWN, folder)["files"]]
    parts = ["__init__.py", "blocks.py", "heads.py", "unet.py"]
    assert files == ["lengths.py", *(f"parts/{name}" for name in parts), "train.py"]


def test_a_module_that_a_script_runs_belongs_to_it_with_its_package(tmp_path: Path) -> None:
    (tmp_path / "lab" / "train").mkdir(parents=True)
    (tmp_path / "lab" / "__init__.py").write_text("import metrics\n")
    (tmp_path / "lab" / "train" / "__main__.py").write_text("from lab.train import nets\n")
    (tmp_path / "lab" / "train" / "nets.py").write_text("")
    (tmp_path / "metrics.py").write_text("")
    words = ["python", "-m", "lab.train", "{config}"]
    own = {"kind": "script", "command": words, "deterministic": False}
    described = catalog.read_code(own, tmp_path)
    parts = ["__init__.py", "train/__main__.py", "train/nets.py"]
    assert [*described["files"]] == [*(f"lab/{name}" for name in parts), "metrics.py"]


def test_code_in_a_checkout_of_this_package_has_nothing_of_the_package() -> None:
    program = Path(catalog.__file__).parents[1] / "search_program.py"
    assert "from search" in program.read_text()
    assert with_imports(program) == [program]


def test_code_that_has_not_changed_is_not_imported_again(folder: Path) -> None:
    (folder / "train.py").write_text(TRAIN + f"\nopen({str(folder / 'seen')!r}, 'a').write('x')\n")
    for _ in range(2):
        catalog.read_code(OWN, folder, folder / "cache")
    assert (folder / "seen").read_text() == "x"


@pytest.mark.parametrize(
    ("reference", "code", "found"),
    [
        ("nothing.py:train", "", "nothing.py does not exist; write it"),
        (
            "train.py:trian",
            TRAIN,
            "train.py has no function 'trian'; name one of train, unchecked, exits",
        ),
        ("train.py:alone", TRAIN, "alone cannot be called with a recipe and an attempt"),
        ("train.py:train", "x = 1\nimport nothere\n", "train.py:2: ModuleNotFoundError: No module"),
        ("train.py:train", "x = (\n", "train.py:1: '(' was never closed; mend the line"),
        ("train.py:train", "1 / 0\n", "train.py:1: ZeroDivisionError: division by zero; mend"),
        ("train.py:train", "import sys\nsys.exit(3)\n", "train.py:2: the file ends the program"),
        ("json.py:train", "", "json.py has the name of a module that Python has loaded"),
        ("storage.py:train", "", "storage.py has the name of a package of search; rename the file"),
        ("nopackage.train:train", "", "nopackage.train: ModuleNotFoundError: No module named"),
        ("train.py:train", "x = 1\0\n", "train.py:1: source code string cannot contain null"),
        ("train.py:train", "import os\nos._exit(3)\n", "exited 3 without a message; look for what"),
        (
            "train.py:train",
            "import os\nos._exit(0)\n",
            "importing train.py:train ends the program;",
        ),
        ("train.py:train", "import os\nos.abort()\n", "was killed by SIGABRT without a message;"),
        ("train.py:train", "import os.path.nope\n", "not a package; correct the name"),
        (
            "train.py:train",
            BAD_HINT,
            "cannot be described (NameError: name 'Nope' is not defined);",
        ),
    ],
    ids=[
        "file",
        "name",
        "call",
        "import",
        "syntax",
        "error",
        "exit",
        "shadow",
        "ours",
        "package",
        "null",
        "_exit",
        "end",
        "abort",
        "part",
        "hint",
    ],
)
def test_code_that_cannot_be_used_is_one_line_with_its_place(
    folder: Path, reference: str, code: str, found: str
) -> None:
    if reference != "nothing.py:train":
        (folder / reference.partition(":")[0]).write_text(code)
    with pytest.raises(RecipeError) as caught:
        catalog.read_code({**OWN, "reference": reference}, folder)
    assert found in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_function_trains_as_a_shipped_objective_does(folder: Path) -> None:
    code = TRAIN.replace("import lengths", "import own_lengths as lengths")
    (folder / "own_train.py").write_text(code)
    (folder / "lengths.py").rename(folder / "own_lengths.py")
    attempt = Attempt(folder=folder, data=DataSource(layout={"kind": "none"}))

    def load(name: str) -> object:
        own = {**OWN, "reference": f"own_train.py:{name}"}
        return catalog.load(catalog.read_code(own, folder), folder)

    trained = load("train")({"depth": 2, "epochs": 1}, attempt)  # type: ignore[operator]
    assert [(each.epoch, each.metrics) for each in trained] == [
        (1, {"dice": 2.0}),
        (2, {"dice": 1}),
    ]
    assert next(load("unchecked")({"any": 1.0}, attempt)).metrics == {"any": 1.0}  # type: ignore[operator]
    with pytest.raises(ContractError, match="returned a dict"):
        next(load("returns")({}, attempt))  # type: ignore[operator]
    with pytest.raises(ContractError, match=r"ends the program \(SystemExit: no data\); return"):
        list(load("exits")({}, attempt))  # type: ignore[operator]
    with pytest.raises(ContractError, match=r"ends the program \(SystemExit: 0\)"):
        list(load("exits_at_once")({}, attempt))  # type: ignore[operator]
    with pytest.raises(ValueError, match="bad luck"):
        next(load("train")({"depth": 13}, attempt))  # type: ignore[operator]


@pytest.mark.parametrize("name", ["../outside.py", "/tmp/outside.py", "lab/../../outside.py"])
def test_code_that_leads_out_of_its_folder_is_not_unpacked(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "code"
    with pytest.raises(RecipeError, match="outside its folder; do not use it"):
        catalog.unpack_code({"sources": {"good.py": "", name: "x"}}, folder)
    assert [*tmp_path.rglob("*.py")] == []


def test_code_that_reads_a_command_line_at_its_import_reads_none_of_ours(folder: Path) -> None:
    (folder / "reads_words.py").write_text(
        "import argparse\nargparse.ArgumentParser().parse_args()\n" + TRAIN
    )
    own = {**OWN, "reference": "reads_words.py:unchecked"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["cli.py", "worker", "--study", "toy"])
        described = catalog.read_code(own, folder)
        assert callable(catalog.load(described, folder))
