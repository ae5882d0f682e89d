"""What a home remembers of a fleet between commands."""

import json
from dataclasses import asdict

import pytest

from search.errors import UsageError
from search.fleet.engine import Fleet
from search.fleet.remember import forget, remember, remembered
from search.settings import Settings

FLEET = Fleet(
    engine="ray", study="toy", job="toy-1", workers=2, address="head:6379", details={"per_gpu": 2}
)


def test_a_fleet_is_remembered_until_it_is_down(tmp_path):
    settings = Settings(home=tmp_path)
    remember(settings, FLEET)
    assert remembered(settings, "toy") == FLEET
    forget(settings, "toy")
    assert remembered(settings, "toy") is None


OF_ANOTHER = json.dumps(asdict(FLEET) | {"study": "other"})
ON_NOTHING = json.dumps(asdict(FLEET) | {"engine": "pbs"})
EDITED = [
    json.dumps(asdict(FLEET) | change)
    for change in (
        {"workers": "two"},
        {"job": ""},
        {"environment": 5},
        {"environment": {"SEARCH_ARTIFACTS": 5}},
        {"details": []},
        {"options": []},
        {"options": {"per_gpu": "two"}},
        {"options": {"partition": 2}},
        {"options": {"queue": "gpu"}},
        {"options": {"sbatch": [1]}},
        {"options": {"per_gpu": 0}},
    )
]


@pytest.mark.parametrize("text", ["", "[]", '{"other": 1}', OF_ANOTHER, ON_NOTHING, *EDITED])
def test_a_broken_note_of_a_fleet_names_the_file(tmp_path, text):
    settings = Settings(home=tmp_path)
    remember(settings, FLEET)
    file = settings.study_folder("toy") / "fleet.json"
    file.write_text(text)
    with pytest.raises(UsageError, match=r"fleet\.json") as error:
        remembered(settings, "toy")
    assert "search fleet up --study toy" in error.value.fix
