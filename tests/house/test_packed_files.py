"""The files beside the code that an installed package needs."""

import tomllib

from tests.house.rules import PACKAGES, ROOT


def test_every_file_beside_the_code_is_packed() -> None:
    packed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    patterns = packed["package-data"]
    for package in PACKAGES:
        listed = {
            file for each in patterns.get(package, ()) for file in (ROOT / package).glob(each)
        }
        beside = {file for file in (ROOT / package).rglob("*.*") if file.is_file()}
        beside -= {file for file in beside if file.suffix in (".py", ".pyc")}
        assert beside - listed == set()
