"""The page of data and methods, as a reader's browser gets it without its script."""

import httpx

from storage.store import Store
from tests.dashboards.samples import STUDY, manifest, new_row

ODD = "<b>Gleason 3</b>"


def test_the_page_says_what_is_searched_on_what_and_by_whom(
    client: httpx.Client, store: Store
) -> None:
    images = [(ODD, "slide 1", "train"), ("Benign", "slide 1", "train"), (ODD, "slide 2", "test")]
    store.create(new_row(STUDY, manifest(images)))
    store.note_test_use("glands", "ada", "confirm")

    page = client.get("/s/glands/data").text

    assert "<td>&lt;b&gt;Gleason 3&lt;/b&gt;</td><td>1 of 1</td><td>1 of 1</td>" in page
    assert "<code>image_classifier</code> is judged by <code>val_loss</code>" in page
    assert "<td>around 0.0001, high confidence</td>" in page
    assert "The test split (1 image) was opened once." in page
    assert "No worker so far." in page


def test_the_page_says_the_machines_of_a_study_without_data(reader: httpx.Client) -> None:
    page = reader.get("/s/toy/data").text

    assert "1 worker process, restarts included, on 1 machine: cpu (1)." in page
    assert 'id="data"' not in page


def test_programs_get_the_same_sections(reader: httpx.Client) -> None:
    sections = reader.get("/s/toy/data.json").json()["sections"]

    assert [each["name"] for each in sections] == [
        "search",
        "space",
        "fingerprints",
        "test",
        "software",
    ]
