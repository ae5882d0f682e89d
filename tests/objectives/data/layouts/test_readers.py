import numpy as np
import pytest
from sklearn.datasets import load_digits

from objectives.contract import DataError, DataSource
from objectives.data.layouts.digits import Digits
from objectives.data.layouts.layout import Layout
from objectives.data.layouts.readers import LAYOUTS, open_layout
from spaces.data import KINDS


def test_every_kind_of_data_has_a_reader_and_its_class_is_a_layout() -> None:
    assert LAYOUTS.keys() == KINDS.keys() - {"none"}
    for kind in LAYOUTS:
        layout = open_layout(DataSource(layout={"kind": kind}))
        questions = {name for name in vars(Layout) if not name.startswith("_")}
        assert questions | {"takes_group"} <= set(dir(layout))


def test_an_unknown_kind_names_the_known_ones() -> None:
    with pytest.raises(DataError, match=r"'dicom'; use one of file_names, .*, brats, digits"):
        open_layout(DataSource(layout={"kind": "dicom"})).find_images()


def test_the_digits_are_those_of_scikit_learn() -> None:
    digits, theirs = Digits(DataSource(layout={"kind": "digits"})), load_digits()
    found = digits.find_images().found

    assert [each.label for each in found] == [str(digit) for digit in theirs.target]
    values = [[*digits.bytes_of(each.file.path).values()] for each in found]
    assert values == [[scan.astype(np.uint8).tobytes()] for scan in theirs.images]
