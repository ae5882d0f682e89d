"""The services of docker-compose.yml, their variables filled in as Docker does."""

import re
from collections.abc import Mapping
from typing import Any

import yaml

from tests.house.rules import ROOT

FILE = ROOT / "docker-compose.yml"
VARIABLE = re.compile(r"\$\{(\w+)(?::-(.*?))?\}")


def services(variables: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the services by name; a variable that is not given has its default."""

    def value(match: re.Match[str]) -> str:
        return (variables or {}).get(match[1]) or match[2] or ""

    filled: dict[str, Any] = yaml.safe_load(VARIABLE.sub(value, FILE.read_text()))
    found: dict[str, Any] = filled["services"]
    return found
