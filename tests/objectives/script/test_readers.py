"""The readers of results: reports, lines and tables, while a script is still writing."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from objectives.contract import EpochResult
from objectives.script.lines import LineReader
from objectives.script.reader import BrokenResult
from objectives.script.reports import ReportReader
from objectives.script.table import TableReader

LIGHTNING = "epoch,step,train_loss,val_loss\n"


def told(results: Iterator[EpochResult]) -> list[tuple[int, dict[str, float]]]:
    """The epochs with their metrics."""
    return [(each.epoch, dict(each.metrics)) for each in results]


def table_of(path: Path, **options: object) -> TableReader:
    """A reader of a table of two metrics, as Lightning counts."""
    columns = {"train_loss": "train_loss", "val_loss": "val_loss"}
    given = {"columns": columns, "epoch": "epoch", "counts_from": 0, **options}
    return TableReader(str(path), **given)  # type: ignore[arg-type]


def test_a_pattern_that_fits_nothing_is_told_as_it_was_written() -> None:
    reader = LineReader(r"Epoch \[(\d+)", ("epoch", "loss"), 1)
    assert r"fits 'Epoch \[(\d+)'; correct" in reader.nothing


def test_a_report_counts_once_its_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "reports.jsonl"
    reader = ReportReader(path)
    assert told(reader.read()) == []
    path.write_text('{"epoch": 1, "val_loss": 1}\n\n{"epoch": 2, ')
    assert told(reader.read()) == [(1, {"val_loss": 1.0})]
    with path.open("a") as file:
        file.write('"val_loss": Infinity}')
    assert told(reader.read()) == []

    assert told(reader.read(is_over=True)) == [(2, {"val_loss": float("inf")})]
    assert told(reader.read(is_over=True)) == []


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("nonsense", "'nonsense', which is no JSON; write"),
        ('{"loss": 1}', "which has no epoch"),
        ('{"epoch": "1"}', "which has no epoch"),
        ('{"epoch": true}', "which has no epoch"),
        ('{"epoch": 1, "loss": "low"}', "loss 'low', which is no number"),
        ('{"epoch": 1, "loss": null}', "loss None, which is no number"),
        ('{"epoch": 1.5}', "has epoch 1.5"),
        ('{"epoch": -1}', "1 for the first"),
        ('{"epoch": 0}', "count from 1"),
        ('{"epoch": NaN}', "has epoch nan"),
        (f'{{"epoch": 1, "loss": 1{"0" * 400}}}', "which is no number"),
        ("[" * 99_999, "which is no JSON"),
        ("x" * 999, "x..."),
    ],
)
def test_a_report_that_cannot_be_read_is_quoted_with_the_fix(
    tmp_path: Path, line: str, message: str
) -> None:
    (tmp_path / "reports.jsonl").write_text(f"{line}\n")

    with pytest.raises(BrokenResult) as broken:
        list(ReportReader(tmp_path / "reports.jsonl").read())

    assert message in str(broken.value)


def test_a_report_without_an_end_is_given_up(tmp_path: Path) -> None:
    (tmp_path / "reports.jsonl").write_bytes(b"x" * ((1 << 20) + 1))

    with pytest.raises(BrokenResult, match="1,048,577 bytes without the end of a line; write"):
        list(ReportReader(tmp_path / "reports.jsonl").read())


def test_a_carriage_return_ends_no_report(tmp_path: Path) -> None:
    path = tmp_path / "reports.jsonl"
    reader = ReportReader(path)
    path.write_bytes(b'\r{"epoch": 1}\r\n')
    assert told(reader.read()) == [(1, {})]
    with path.open("ab") as file:
        file.write(b'{"epoch": 2}\n')
    assert told(reader.read()) == [(2, {})]


@pytest.mark.parametrize("keeps", [False, True], ids=["the last", "all"])
def test_reports_that_are_written_anew_are_read(tmp_path: Path, keeps: bool) -> None:
    path, lines = tmp_path / "reports.jsonl", ""
    reader, found = ReportReader(path), []
    for epoch in (1, 2, 3):
        lines = keeps * lines + f'{{"epoch": {epoch}, "loss": 0.5}}\n'
        for text in ("", lines):  # as `>` does
            path.write_text(text)
            found += [each.epoch for each in reader.read()]
    assert found == [1, 2, 3]


def test_a_table_that_is_no_csv_is_refused_with_the_fix(tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_text("epoch,val_loss\n0," + "9" * 200_000 + "\n")

    with pytest.raises(BrokenResult, match=r"no CSV \(field larger than .*; name a file"):
        list(table_of(tmp_path / "metrics.csv").read())


def test_a_line_is_read_across_the_parts_in_which_it_comes() -> None:
    reader = LineReader(r"epoch (\d+).*loss (\S+)", ["epoch", "val_loss"], 1)
    reader.take(b"\xff noise\nepoch 1 ")
    assert told(reader.read()) == []
    reader.take(b"loss nan\r\nepoch 2 loss .5\repoch 3")
    assert [epoch for epoch, _ in told(reader.read())] == [1, 2]
    reader.take(b" loss 1e-3")

    assert told(reader.read(is_over=True)) == [(3, {"val_loss": 1e-3})]


def test_a_line_that_is_printed_again_counts_once() -> None:
    reader = LineReader(r"epoch (\d+).*loss (\S+)", ["epoch", "val_loss"], 1)
    reader.take(b"epoch 1 10 % loss 2\repoch 1 50 % loss 2\repoch 2 0 % loss 2\n")

    assert [epoch for epoch, _ in told(reader.read())] == [1, 2]


def test_a_group_that_takes_no_part_is_no_metric() -> None:
    reader = LineReader(
        r"(?P<epoch>\d+):(?: loss (?P<a>\S+))?(?: dice (?P<b>\S+))?", ("epoch", "a", "b"), 1
    )
    reader.take(b"1: dice .5\n")

    assert told(reader.read()) == [(1, {"b": 0.5})]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"epoch 1 loss low\n", "val_loss 'low' in 'epoch 1 loss low'; correct the pattern"),
        (b"epoch 0 loss 1\n", "counts_from=0"),
    ],
)
def test_a_line_that_fits_and_tells_no_number_is_quoted(line: bytes, message: str) -> None:
    reader = LineReader(r"epoch (\d+).*loss (\S+)", ["epoch", "val_loss"], 1)
    reader.take(line)

    with pytest.raises(BrokenResult) as broken:
        list(reader.read())

    assert message in str(broken.value)


def test_a_row_per_metric_makes_one_epoch(tmp_path: Path) -> None:
    path, reader = tmp_path / "metrics.csv", table_of(tmp_path / "*.csv")
    path.write_text(LIGHTNING + "0,9,,0.7\n")
    assert told(reader.read()) == []
    assert reader.position == 1
    with path.open("a") as file:
        file.write("0,9,0.9,\n1,19,,0.6")

    assert wait_and_read(reader) == [(1, {"train_loss": 0.9, "val_loss": 0.7})]
    assert told(reader.read(is_over=True)) == [(2, {"val_loss": 0.6})]
    assert told(reader.read(is_over=True)) == []


def test_a_table_that_is_written_anew_tells_each_epoch_once(tmp_path: Path) -> None:
    path, reader = tmp_path / "metrics.csv", table_of(tmp_path / "metrics.csv")
    path.write_text(LIGHTNING + "0,9,0.9,0.7\n")
    assert len(told(reader.read())) == 1
    path.write_text("epoch,lr,step,train_loss,val_loss\n0,.1,9,0.9,0.7\n1,.1,19,0.8,0.6\n")

    assert wait_and_read(reader) == [(2, {"train_loss": 0.8, "val_loss": 0.6})]
    path.write_text(LIGHTNING)  # in the middle of writing it anew
    assert wait_and_read(reader) == []


def test_an_epoch_is_whole_when_the_next_one_begins(tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_text("epoch,val_loss\n0,.5\n0,.4\n1,NA\n")

    reader = table_of(tmp_path / "metrics.csv")

    assert told(reader.read()) == [(1, {"val_loss": 0.4})]


def test_the_newest_of_several_tables_counts(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "m.csv").write_text(f"epoch,val_loss\n0,{ord(name)}\n")
        os_utime_later(tmp_path / name / "m.csv", name == "a")

    reader = table_of(tmp_path / "*/m.csv", columns={"val_loss": "val_loss"})

    assert told(reader.read()) == [(1, {"val_loss": 97.0})]


def test_a_table_says_what_was_not_there(tmp_path: Path) -> None:
    reader = table_of(tmp_path / "metrics.csv")
    assert "wrote no file" in reader.nothing
    (tmp_path / "metrics.csv").write_text("Epoch,loss\n1,2\n")
    assert told(reader.read(is_over=True)) == []
    assert "wrote no row with epoch, train_loss, val_loss into" in reader.nothing
    assert "whose columns are Epoch, loss; correct" in reader.nothing
    (tmp_path / "metrics.csv").write_text("epoch,val_loss\n0,low\n")
    with pytest.raises(BrokenResult, match="wrote val_loss 'low'"):
        list(reader.read(is_over=True))


def wait_and_read(reader: TableReader) -> list[tuple[int, dict[str, float]]]:
    """Read at the next time that the reader allows itself."""
    while True:
        before = reader.position
        found = told(reader.read())
        if found or reader.position != before:
            return found


def os_utime_later(path: Path, is_later: bool) -> None:
    """Set a file's time, so that one is newer for certain."""
    import os

    os.utime(path, (1e9 + is_later, 1e9 + is_later))
