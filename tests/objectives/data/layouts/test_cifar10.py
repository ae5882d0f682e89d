import pickle
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from objectives.contract import DataError, DataSource
from objectives.data.layouts.cifar10 import Cifar10
from objectives.data.manifest.manifest import read_manifest

SOURCE = {"kind": "cifar10"}
# fmt: off
CLASSES = ("airplane", "automobile", "bird", "cat", "deer",
           "dog", "frog", "horse", "ship", "truck")
# fmt: on


def dump(path: Path, what: dict[str, Any]) -> None:
    """Pickle it as the numpy of Python 2 did, which called its inner module otherwise."""
    path.write_bytes(pickle.dumps(what, protocol=2).replace(b"numpy._core", b"numpy.core"))


def write_batch(path: Path, images: int, seed: int) -> None:
    """Write a batch of noise as the real ones are: pixels, labels, file names."""
    pixels = np.random.default_rng(seed).integers(0, 256, (images, 3072), dtype=np.uint8)
    names = [f"{CLASSES[row % 10]}_s_{row:06d}.png" for row in range(images)]
    labels = [row % 10 for row in range(images)]
    dump(path, {"batch_label": "a", "labels": labels, "data": pixels, "filenames": names})


@pytest.fixture
def cifar(tmp_path: Path) -> DataSource:
    """The five batches with 40 images each, and a test batch of 30."""
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    for number in range(1, 6):
        write_batch(folder / f"data_batch_{number}", 40, number)
    write_batch(folder / "test_batch", 30, 6)
    meta = {"num_cases_per_batch": 40, "label_names": list(CLASSES), "num_vis": 3072}
    dump(folder / "batches.meta", meta)
    return DataSource(layout=SOURCE, folder=tmp_path)


def test_the_training_batches_are_read_image_by_image(cifar: DataSource) -> None:
    listing = Cifar10(cifar).find_images()
    assert listing.classes == CLASSES
    assert Counter(each.label for each in listing.found) == dict.fromkeys(CLASSES, 20)
    first = listing.found[0]
    assert (first.file.path, first.file.bytes) == ("data_batch_1/0000", 3072)
    assert (first.label, first.group) == ("airplane", "data_batch_1/0000")


def test_validation_is_carved_out_of_train_and_the_test_is_counted_only(cifar: DataSource) -> None:
    manifest = read_manifest(cifar)
    assert manifest.sealed_test == 30
    assert len(manifest.split("train")) + len(manifest.split("val")) == 200
    assert set(manifest.summary.counts["val"].values()) == {2, 3}
    assert manifest.split("test") == ()


def test_the_test_batch_is_never_parsed(cifar: DataSource) -> None:
    assert cifar.folder is not None
    test = cifar.folder / "cifar-10-batches-py" / "test_batch"
    test.write_bytes(b"x" * test.stat().st_size)
    assert Cifar10(cifar).find_images().sealed_test == 30


def test_without_its_test_batch_no_test_is_counted(cifar: DataSource) -> None:
    assert cifar.folder is not None
    (cifar.folder / "cifar-10-batches-py" / "test_batch").unlink()
    assert Cifar10(cifar).find_images().sealed_test == 0


def test_the_folder_of_the_batches_may_be_given_itself(cifar: DataSource) -> None:
    assert cifar.folder is not None
    inside = DataSource(layout=SOURCE, folder=cifar.folder / "cifar-10-batches-py")
    assert len(Cifar10(inside).find_images().found) == 200


def test_the_contents_are_the_pixels_and_nothing_else(cifar: DataSource) -> None:
    pixels = np.random.default_rng(3).integers(0, 256, (40, 3072), dtype=np.uint8)
    (contents,) = Cifar10(cifar).bytes_of("data_batch_3/0017").values()
    assert contents == pixels[17].tobytes()


def test_the_planes_are_red_green_and_blue(cifar: DataSource) -> None:
    pixels = np.random.default_rng(2).integers(0, 256, (40, 3072), dtype=np.uint8)
    assert (Cifar10(cifar).pixels_of("data_batch_2/0005", 32) == pixels[5].reshape(3, 32, 32)).all()
    assert Cifar10(cifar).pixels_of("data_batch_2/0005", 64).shape == (3, 64, 64)


def test_a_pickle_that_would_run_code_is_refused(cifar: DataSource) -> None:
    class Attack:
        def __reduce__(self) -> Any:
            return print, ("run",)

    assert cifar.folder is not None
    dump(cifar.folder / "cifar-10-batches-py" / "data_batch_1", {"labels": Attack()})
    with pytest.raises(DataError, match=r"data_batch_1: .*print\); unpack .* again$"):
        Cifar10(cifar).find_images()


@pytest.mark.parametrize(
    ("labels", "shape", "said"),
    [
        ([0, 10], (2, 3072), "label 10 of 10 classes"),
        ([0, -1], (2, 3072), "label -1 of 10 classes"),
        (["cat", "dog"], (2, 3072), "no list of labels"),
        ([0, 1, 2], (2, 3072), r"data of shape \(2, 3072\) for 3 labels"),
        ([0, 1], (2, 3000), r"data of shape \(2, 3000\) for 2 labels"),
    ],
)
def test_labels_and_pixels_that_do_not_fit_are_refused(
    cifar: DataSource, labels: list[Any], shape: tuple[int, int], said: str
) -> None:
    assert cifar.folder is not None
    pixels = np.zeros(shape, dtype=np.uint8)
    batch = cifar.folder / "cifar-10-batches-py" / "data_batch_1"
    dump(batch, {"labels": labels, "data": pixels})
    with pytest.raises(DataError, match=rf"data_batch_1: .*{said}\); unpack .* again$"):
        Cifar10(cifar).find_images()


@pytest.mark.parametrize("names", [["cat", "cat"], [1, 2], "cats", None])
def test_classes_without_names_of_their_own_are_refused(cifar: DataSource, names: Any) -> None:
    assert cifar.folder is not None
    dump(cifar.folder / "cifar-10-batches-py" / "batches.meta", {"label_names": names})
    with pytest.raises(DataError, match=r"batches.meta: .*label_names.* again$"):
        Cifar10(cifar).find_images()


@pytest.mark.parametrize("name", ["batches.meta", "data_batch_4"])
def test_a_damaged_file_is_named(cifar: DataSource, name: str) -> None:
    assert cifar.folder is not None
    (cifar.folder / "cifar-10-batches-py" / name).write_bytes(b"no pickle")
    with pytest.raises(DataError, match=rf"{name}: no part of CIFAR-10.* again$"):
        Cifar10(cifar).find_images()
