"""The note on a study's page: its data and methods in Markdown, whatever the names are."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from optuna_dashboard import get_note

from dashboards.analysis.methods.description import PRACTICE, describe
from dashboards.analysis.methods.images import count_images
from dashboards.note import study_note
from spaces.found import Found
from spaces.load import load_study
from spaces.params import Choice
from spaces.stored import StoredStudy
from storage.store import Store
from tests.dashboards.samples import STUDY, manifest, row


def note(stored: StoredStudy, images: Sequence[tuple[str, ...]] = ()) -> str:
    """Write the note of a study with images of a class, a group and a split each."""
    return study_note(describe(row(stored), count_images(manifest(images)) if images else None))


def test_a_note_has_every_part_as_markdown() -> None:
    written = note(StoredStudy(STUDY), [("Benign", "slide 1", "train")]).splitlines()

    assert written[0] == "Does depth help?"
    assert "### Data" in written
    assert "| Benign | 1 of 1 |" in written
    assert "| **all** | 1 of 1 |" in written
    assert "| `ldam_max_margin` | 0.1 to 0.8 | uniform | ldam is on |" in written
    assert "| `schedule` | none |" in written


def test_practice_data_is_said_before_anything_else() -> None:
    practice = StoredStudy(load_study("gleason")).for_practice()

    assert note(practice).startswith(f"**{PRACTICE}**")
    assert PRACTICE not in note(StoredStudy(STUDY))


def test_checks_that_were_skipped_are_named_before_the_studys_own_words() -> None:
    skipping = StoredStudy(replace(STUDY, about="Why?"), Found(skipped_checks=("C01", "C03")))

    first, second, *_ = note(skipping).split("\n\n")

    assert first == "**Skipped checks of the data: C01, C03.**"
    assert second == "Why?"


def test_an_option_cannot_break_its_table() -> None:
    odd = replace(STUDY, space=[Choice("stem", ("a|b", "c"))])

    assert r"| `stem` | a\|b, c | uniform |  |" in note(StoredStudy(odd))


def test_a_note_is_read_back_whole_and_written_once(store: Store) -> None:
    study = store.optuna_study("toy")
    for text in ("long " * 1000, "short", "short"):
        store.write_note("toy", text)
        assert get_note(study) == text
    assert study._storage.get_study_system_attrs(study._study_id)["dashboard:note_ver"] == 2


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("a\nb", r"a\\nb"),
        ("a\u200bb", r"a\\u200bb"),
        ("a|b", r"a\|b"),
        ("*bold* _it_ in_word", r"\*bold\* \_it\_ in_word"),
        ("<b>x</b> &amp;", r"\<b\>x\</b\> \&amp;"),
        ("[a](b) `c` $d$ ~~e~~", r"\[a\](b) \`c\` \$d\$ \~\~e\~\~"),
        ("# 1", r"\# 1"),
        ("[click](javascript:alert(1))", r"\[click\](javascript:alert(1))"),
        ("![x](https://a.example/b.png)", r"!\[x\](https://a.example/b.png)"),
        ("läsion 2-1, grade (3)", "läsion 2-1, grade (3)"),
    ],
)
def test_a_name_is_shown_as_it_is_in_one_row(name: str, cell: str) -> None:
    written = note(StoredStudy(STUDY), [(name, "", "train")])

    assert f"| {cell} | 1 |" in written.splitlines()


def test_the_question_of_a_study_cannot_change_the_rest_of_its_note() -> None:
    odd = replace(STUDY, about="What?\n\n```\n# all | of | it")

    assert note(StoredStudy(odd)).startswith(
        "What? \\`\\`\\` # all \\| of \\| it\n\n### Search\n\n`image_classifier`"
    )


def test_a_path_of_weights_cannot_break_its_table() -> None:
    record = {"file": "a|b*.pt", "sha256": "ab" * 32, "licence": "mine"}
    written = note(StoredStudy(STUDY, Found(weights={"net w`|.pt": record})))

    assert r"| `net w'\|.pt` | mine | a\|b\*.pt | `abababababab` |" in written.splitlines()
