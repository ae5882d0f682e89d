"""The progress of a study as lines, view, summary and status, from the same rows."""

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from dashboards.analysis.frame import Frame
from dashboards.analysis.snapshot import FINAL, Snapshot, at_work
from dashboards.analysis.verdict import verdict_of
from dashboards.analysis.wording import duration
from search.terminal.events import events
from search.terminal.progress import view, watching
from search.terminal.summary import summary
from spaces.found import Found
from spaces.params import Float, Int
from spaces.stored import StoredStudy, to_json
from spaces.study import Study
from storage.looks import Look, TrialCounts, add_ended
from storage.rows import EpochRow, StudyRow, TrialRow, WorkerRow

NOW = datetime(2030, 1, 1, tzinfo=UTC)
STUDY = Study(
    name="toy-practice",
    objective="toy_curve",
    metric="val_loss",
    direction="minimize",
    space=[Float("learning_rate", 1e-4, 1.0, log=True), Int("epochs", 4, 8)],
    trials=4,
)
STORED = StoredStudy(STUDY, Found(is_practice=True))


def test_lines_tell_each_beginning_quarter_and_ending_once():
    looks = [
        snapshot(),
        snapshot(running(0, epoch=None)),
        snapshot(running(0, epoch=1)),
        snapshot(running(0, epoch=2)),
        snapshot(complete(0, 0.5), running(1, epoch=None)),
        snapshot(complete(0, 0.5), ended(1, "pruned", "epoch 2")),
    ]
    lines = [event.line for pair in pairs(looks) for event in events(*pair)]
    values = "(learning_rate 0.01, epochs 8)"
    assert lines == [
        "toy-practice · practice data · val_loss, lower is better",
        "0 of 4 trials have ended; no trial is complete yet",
        "trial 0 began on box-1",
        "trial 0 epoch 2/8: val_loss 0.5",
        f"trial 0 finished: val_loss 0.5 {values}",
        "trial 1 began on box-1",
        "new best 0.5 in trial 0: learning_rate 0.01, epochs 8",
        f"trial 1 pruned: epoch 2, val_loss 0.5 {values}",
    ]


def test_a_trial_that_a_person_ended_is_told_with_its_last_epoch():
    before, after = snapshot(running(0, epoch=3)), snapshot(ended(0, "ended_elsewhere", ""))
    (told,) = events(before, after)
    assert told.line.startswith("trial 0 ended_elsewhere: val_loss 0.5 (learning_rate")


def test_a_run_that_goes_on_does_not_tell_the_old_trials_again():
    lines = [event.line for event in events(None, snapshot(complete(0, 0.5), running(1, epoch=4)))]
    assert lines[1].startswith("1 of 4 trials have ended; best 0.5 in trial 0")
    assert len(lines) == 2


def test_a_trial_that_changes_hands_is_shown_with_its_attempt():
    before, after = running(3, epoch=2), replace(running(3, epoch=2), attempts=2, worker="box-9")
    lines = [event.line for event in events(snapshot(before), snapshot(after))]
    assert lines == ["trial 3 began on box-9, attempt 2"]


@pytest.mark.parametrize("width", [30, 60, 100, 200])
def test_the_view_fits_the_terminal_and_names_trial_epoch_value_and_best(width):
    shown = drawn(snapshot(complete(0, 0.25), running(1, epoch=3)), width)
    assert all(len(line) <= width for line in shown.splitlines())
    assert "3/8" in shown
    assert "best 0.25 in trial 0" in shown
    assert "1/4 trials" in shown
    assert ("images/s" in shown) == (width >= 70)


def test_the_view_says_what_the_reader_should_know():
    shown = drawn(snapshot(running(1, epoch=3)).noting("the database is away"), 100)
    assert "practice data" in shown
    assert "http://127.0.0.1:8080" in shown
    assert "the database is away" in shown


def test_the_time_to_go_counts_training_and_not_the_nights_between():
    slow = replace(complete(0, 0.5), started_at=NOW - timedelta(days=2))
    # 8 epochs of 2 s each; of the 3 trials to come one has 4 epochs behind it; one worker.
    assert snapshot(slow, running(1, epoch=4)).remaining_seconds() == 3 * 16 - 8


def test_nobody_guesses_the_time_to_go_before_a_trial_has_ended():
    assert snapshot(running(0, epoch=4)).remaining_seconds() is None


def test_without_a_terminal_progress_is_plain_lines():
    page = io.StringIO()
    with watching(lambda: "http://127.0.0.1:8080", Console(file=page, width=40)) as show:
        show(snapshot())
        show(snapshot(replace(running(0, epoch=None), worker="[red]box[/red]")))
    assert page.getvalue().splitlines()[0] == "dashboard: http://127.0.0.1:8080"
    assert page.getvalue().splitlines()[-1] == "trial 0 began on [red]box[/red]"


def test_on_a_terminal_only_endings_are_printed_above_the_view():
    page = io.StringIO()
    console = Console(file=page, width=100, height=20, force_terminal=True)
    with watching(lambda: "", console) as show:
        show(snapshot(running(0, epoch=None)))
        show(snapshot(complete(0, 0.5)))
    assert "trial 0 finished: val_loss 0.5" in page.getvalue()
    assert "trial 0 began" not in page.getvalue()


def test_the_summary_ends_with_the_commands_to_type_next():
    seen = snapshot(complete(0, 0.5), ended(1, "code_error", "ValueError: x"))
    lines = list(summary(frame(seen), 2))
    assert "at epoch 8: val_loss 0.5" in lines[3]
    assert lines[4].startswith("trial 1 code_error: ValueError: x")
    assert "search run --study toy-practice" in lines[5]
    assert "search export --study toy-practice --trial best --out best.yaml" in lines[6]


def test_the_summary_says_a_metrics_interval_beside_it():
    best = complete(0, 0.5)
    metrics = {"val_loss": 0.5, "val_loss_low": 0.4321, "val_loss_high": 0.56, "val_ece": 0.1}
    best = replace(best, best=replace(best.best, metrics=metrics))
    lines = list(summary(frame(snapshot(best)), 2))
    assert lines[3] == "  at epoch 8: val_loss 0.5 (0.432 to 0.56), val_ece 0.1"


def test_the_summary_of_an_ended_study_names_the_command_for_more_trials():
    ended_now = snapshot(*(complete(number, 0.5) for number in range(STUDY.trials)))
    more = f"more:   search run --study toy-practice --trials {2 * STUDY.trials}"
    assert more in list(summary(frame(ended_now), 2))


def test_a_failure_of_each_kind_is_told_and_the_others_are_counted():
    failed = [ended(number, "code_error", f"bug {number}") for number in range(3)]
    seen = snapshot(*failed, ended(3, "data_error", "no file"))
    first, second, more = list(summary(frame(seen), 1))[3:6]
    assert first.startswith("trial 0 code_error: bug 0, ")
    assert second.startswith("trial 3 data_error: no file, ")
    assert more == "and 2 more that failed: see `search status --study toy-practice --all`"


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0:00"), (59.6, "1:00"), (187, "3:07"), (7387, "2:03:07")]
)
def test_a_time_span_reads_as_on_a_clock(seconds, words):
    assert duration(seconds) == words


def test_who_is_at_work_does_not_hang_on_this_machines_clock():
    (idle,) = snapshot().look.workers  # last heard of in 2030, whatever day it is here
    gone = replace(idle, silent_seconds=3600.0)
    assert at_work([idle, gone]) == [idle]


def test_with_folds_an_epoch_is_counted_within_its_fold():
    shown = drawn(in_folds(at(0, fold=3, epoch=2, done=2)), 100)
    assert "2/8 in fold 3/5" in shown
    assert "val_loss, mean over 5 folds, lower is better" in shown


def test_with_folds_each_one_that_is_over_is_worth_a_line():
    looks = [
        in_folds(at(0, fold=1, epoch=7, done=0)),
        in_folds(at(0, fold=1, epoch=8, done=1)),
        in_folds(at(0, fold=2, epoch=6, done=1)),
        in_folds(at(0, fold=2, epoch=7, done=2)),  # it stopped early
    ]
    lines = [event.line for pair in pairs(looks)[1:] for event in events(*pair)]
    assert lines == [
        "trial 0 epoch 8/8 in fold 1/5: val_loss 0.5",
        "trial 0 epoch 7/8 in fold 2/5: val_loss 0.5",
    ]


def test_the_time_to_go_counts_the_epochs_of_all_folds():
    ended, half_way = complete(0, 0.5), running(1, epoch=20)
    whole = replace(ended, last=replace(ended.last, epoch=40))
    # 40 epochs of 2 s each; of the 3 trials to come one has 20 epochs behind it; one worker.
    assert in_folds(whole, half_way).remaining_seconds() == 3 * 80 - 40


def test_the_summary_of_folds_tells_what_they_pooled_and_no_single_epoch():
    best = at(0, fold=5, epoch=8, done=5)
    pooled = {**best.last.metrics, "pooled_auc": 0.8123, "pooled_auc_low": 0.75}
    pooled["pooled_auc_high"] = 0.87
    done = replace(complete(0, 0.5), last=replace(best.last, metrics=pooled))
    lines = list(summary(frame(in_folds(done)), 2))
    assert lines[3] == "  over 5 folds: pooled_auc 0.8123 (0.75 to 0.87)"
    assert not any("at epoch" in line for line in lines)


def in_folds(*trials: TrialRow) -> Snapshot:
    return replace(snapshot(*trials), stored=replace(STORED, study=replace(STUDY, folds=5)))


def at(number: int, fold: int, epoch: int, done: int) -> TrialRow:
    row = running(number, epoch=8 * (fold - 1) + epoch)
    place = {"val_loss": 0.5, "fold": fold, "fold_epoch": epoch, "folds_done": done}
    return replace(row, last=replace(row.last, metrics=place))


def snapshot(*trials: TrialRow) -> Snapshot:
    row = StudyRow(
        name="toy-practice",
        study_id=1,
        definition=to_json(STORED),
        trials=4,
        fingerprint="f",
        data_fingerprint="d",
        direction="minimize",
        stop=None,
        created_at=NOW,
    )
    working = next((trial.number for trial in trials if trial.state == "RUNNING"), None)
    worker = WorkerRow(
        worker="box-1",
        host="box",
        pid=7,
        device="cpu",
        threads=1,
        machine={},
        started_at=NOW,
        seen_at=NOW,
        ended_at=None,
        exit_code=None,
        reason=None,
        trial=working,
        silent_seconds=0.0,
        is_overdue=False,
    )
    running = [trial for trial in trials if trial.state not in FINAL]
    counts = TrialCounts(total=len(trials), waiting=0, running=len(running))
    look = Look(study=row, counts=counts, running=running, workers=[worker])
    return Snapshot(add_ended(look, [trial for trial in trials if trial.state in FINAL]), STORED)


def running(number: int, epoch: int | None) -> TrialRow:
    last = epoch_row(number, epoch, 0.5) if epoch else None
    drawn = {"learning_rate": 0.01, "epochs": 8}
    return TrialRow(
        number=number,
        trial_id=number,
        state="RUNNING",
        outcome=None,
        detail=None,
        where=None,
        value=None,
        params=drawn,
        attempts=1,
        worker="box-1",
        is_leased=True,
        started_at=NOW,
        ended_at=None,
        last=last,
        best=last,
    )


def complete(number: int, value: float) -> TrialRow:
    last = epoch_row(number, 8, value)
    row = replace(running(number, 8), state="COMPLETE", outcome="finished", value=value)
    return replace(row, ended_at=NOW, is_leased=False, last=last, best=last)


def ended(number: int, outcome: str, detail: str) -> TrialRow:
    row = replace(running(number, 2), state="PRUNED", outcome=outcome, detail=detail)
    return replace(row, ended_at=NOW, is_leased=False)


def epoch_row(number: int, epoch: int, value: float) -> EpochRow:
    return EpochRow(
        number=number,
        epoch=epoch,
        attempt=1,
        value=value,
        metrics={"val_loss": value},
        seconds=2.0,
        images=100,
        recorded_at=NOW,
    )


def frame(shown: Snapshot) -> Frame:
    return Frame(snapshot=shown, verdict=verdict_of(shown, []), trials=shown.running, badges={})


def pairs(looks: list[Snapshot]) -> list[tuple[Snapshot | None, Snapshot]]:
    return list(zip([None, *looks], looks, strict=False))


def drawn(shown: Snapshot, width: int) -> str:
    console = Console(file=io.StringIO(), width=width)
    with console.capture() as capture:
        console.print(view(shown, "http://127.0.0.1:8080", 12.0, width))
    return capture.get()
