"""The state of a trial: in a word, in a sentence, and as a shape."""

from dataclasses import dataclass

from storage.rows import Outcome, TrialRow

SHAPES = {Outcome.FINISHED: "finished", Outcome.PRUNED: "pruned"}
TONES = {Outcome.FINISHED: "ok", Outcome.PRUNED: "", Outcome.ENDED_ELSEWHERE: ""}
SENTENCES = {
    Outcome.FINISHED: "It went through its schedule.",
    Outcome.PRUNED: "Stopped early, so that better trials get its time.",
    Outcome.DIVERGED: "A loss was not finite, or exploded.",
    Outcome.OUT_OF_MEMORY: "It needs more memory than the device, or the host, has.",
    Outcome.CODE_ERROR: "The training code raised an exception.",
    Outcome.DATA_ERROR: "The data could not be read or used.",
    Outcome.METRIC_OUT_OF_RANGE: "It reported a number that its metric cannot have.",
    Outcome.KILLED: "Given up: its attempts died in a row, without a new epoch between them.",
    Outcome.STALLED: "Given up: its attempts died in a row, and nothing moved in the last one.",
    Outcome.CUDA_ERROR: "Given up: its attempts died in a row, the last one by a CUDA error.",
    Outcome.ENDED_ELSEWHERE: "Ended or added by a person; it is never the best one.",
}


@dataclass(frozen=True, kw_only=True)
class TrialState:
    """The state of a trial.

    word: "Finished", "Out of memory".
    sentence: what it means.
    shape, tone: of its icon, and the kind of news; "" for none.
    is_over: whether it has ended.
    """

    word: str
    sentence: str
    shape: str
    tone: str
    is_over: bool


def state_of(trial: TrialRow) -> TrialState:
    """Return the state of a trial."""
    if trial.state == "WAITING":
        return _open("Queued", "It begins when a worker takes it.", "waiting")
    if trial.state == "RUNNING" and trial.is_leased:
        return _open("Running", "", "running")
    if trial.state == "RUNNING":
        return _open("To be continued", "The next worker goes on with it.", "resumed")
    outcome = trial.outcome or Outcome.ENDED_ELSEWHERE
    return TrialState(
        word=outcome.replace("_", " ").capitalize(),
        sentence=SENTENCES[outcome],
        shape=SHAPES.get(outcome, "failed"),
        tone=TONES.get(outcome, "fail"),
        is_over=True,
    )


def _open(word: str, sentence: str, shape: str) -> TrialState:
    tone = "run" if shape == "running" else ""
    return TrialState(word=word, sentence=sentence, shape=shape, tone=tone, is_over=False)
