import pickle
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from objectives.data.manifest.manifest import read_manifest
from objectives.practice.cifar10 import python2_pickle
from objectives.practice.make import make_practice
from tests.objectives.data.practice_layouts import practice_source

# `pickle.dumps({'labels': [6, 9], 'batch_label': 'training'}, 2)` of Python 2.7, memo left out.
PYTHON_2 = b"\x80\x02}(U\x06labels](K\x06K\teU\x0bbatch_labelU\x08trainingu."


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cifar10 practice set at its usual size."""
    folder = tmp_path_factory.mktemp("cifar10")
    make_practice("cifar10", folder)
    return folder


def test_it_reads_as_pickles_of_python_2_do() -> None:
    ours = python2_pickle({b"labels": [6, 9], b"batch_label": b"training"})
    for encoding in ("latin1", "bytes"):
        real = pickle.loads(PYTHON_2, encoding=encoding)
        assert pickle.loads(ours, encoding=encoding) == real


def test_arrays_of_bytes_come_back_whole() -> None:
    array = np.arange(24, dtype=np.uint8).reshape(4, 6)
    again = pickle.loads(python2_pickle(array), encoding="latin1")
    assert again.dtype == np.uint8
    np.testing.assert_array_equal(again, array)


def test_torchvision_reads_it(practice: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from torchvision.datasets import CIFAR10, cifar

    # The sums of the real files, which ours are not.
    monkeypatch.setattr(cifar, "check_integrity", lambda *_: True)
    train, test = CIFAR10(str(practice)), CIFAR10(str(practice), train=False)
    assert (len(train), len(test)) == (1000, 200)
    assert train.classes[:3] == ["airplane", "automobile", "bird"]
    assert train[0][0].size == (32, 32)
    assert Counter(train.targets + test.targets) == dict.fromkeys(range(10), 120)


def test_the_reader_counts_the_test_batch_without_its_images(practice: Path) -> None:
    manifest = read_manifest(practice_source("cifar10", practice))
    assert len(manifest.rows) == 1000
    assert manifest.sealed_test == 200
    assert len({row.sha1 for row in manifest.rows}) == 1000
