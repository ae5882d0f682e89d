"""The digits that come with scikit-learn."""

from objectives.contract import DataSource
from objectives.data.layouts.listing import File, Found, Listing


def read_digits(_: DataSource) -> Listing:
    """scikit-learn's digits: each scan its own group, since the writers are not recorded."""
    from sklearn.datasets import load_digits

    targets = load_digits().target.tolist()
    found = [
        Found(File(f"digit-{row:04d}", 64, 0), str(target), f"digit-{row:04d}", "")
        for row, target in enumerate(targets)
    ]
    return Listing(found, tuple(str(digit) for digit in range(10)), {})
