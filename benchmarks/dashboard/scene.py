"""The study that the pages show: thousands of ended trials, and workers in the middle of others.

The trials are those of benchmarks/engine, with the metrics, ends and times of a real study.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import NullPool, create_engine, text

from benchmarks.engine.lab import Lab, run_apart
from benchmarks.engine.study import EPOCHS, LEASE_SECONDS, STUDY, Place
from storage.rows import Outcome, TrialEnd
from storage.store import Claim, NewWorker, Store

PACE_SECONDS = 20  # from one trial's end to the next one's
MOMENT = f"(now() + (t.number - :size) * interval '{PACE_SECONDS} s')"  # of a trial's end

# Of ten trials three are pruned and one diverges; the workers had them one after the other.
LIFE = f"""
UPDATE search_service.workers SET ended_at = now(), exit_code = 0
 WHERE study_id = :study AND worker_id NOT LIKE 'host-%';
UPDATE search_service.epochs e SET metrics = json_build_object(
       'val_loss', e.value, 'val_loss_low', e.value - .02, 'val_loss_high', e.value + .02,
       'val_balanced_accuracy', .9 - e.value / 4, 'val_macro_auc', .98 - e.value / 8,
       'val_macro_f1', .9 - e.value / 5, 'val_ece', .02, 'val_top1', .95 - e.value / 4,
       'train_loss', e.value * .9, 'learning_rate', .001 / e.epoch),
       seconds = 15 + random() * 5,
       recorded_at = {MOMENT} - (5 - e.epoch) * interval '18 s'
  FROM trials t WHERE t.trial_id = e.trial_id AND t.study_id = :study AND t.number > 0;
UPDATE search_service.attempts a SET started_at = {MOMENT} - interval '95 s', beat_at = {MOMENT},
       ended_at = {MOMENT}, worker_id = 'host-' || (1 + t.number % :workers) || '-abc',
       reason = CASE WHEN t.number % 10 IN (3, 5, 7) THEN 'pruned' WHEN t.number % 10 = 9
                     THEN 'diverged' ELSE reason END
  FROM trials t WHERE t.trial_id = a.trial_id AND t.study_id = :study;
UPDATE trials SET state = CASE number % 10 WHEN 9 THEN 'FAIL' ELSE 'PRUNED' END::trialstate
 WHERE study_id = :study AND number % 10 IN (3, 5, 7, 9);
DELETE FROM trial_values v USING trials t
 WHERE t.trial_id = v.trial_id AND t.study_id = :study AND t.number % 10 IN (3, 5, 7, 9);
DELETE FROM search_service.epochs e USING trials t
 WHERE t.trial_id = e.trial_id AND t.study_id = :study AND t.number % 10 IN (3, 5, 7, 9)
   AND e.epoch > 3;
INSERT INTO trial_user_attributes (trial_id, key, value_json)
SELECT trial_id, 'badges', '""' FROM trials WHERE study_id = :study AND number > 0;
UPDATE trial_values v SET value = (
       SELECT min(value) FROM search_service.epochs e WHERE e.trial_id = v.trial_id)
  FROM trials t WHERE t.trial_id = v.trial_id AND t.study_id = :study
"""


@dataclass
class Running:
    """A worker with the trial that it trains.

    epoch: the last recorded one.
    """

    worker: str
    claim: Claim
    epoch: int = 0


class Scene:
    """A study with ended trials, and workers that record epochs and end trials when told to."""

    def __init__(self, place: Place, store: Store, workers: int) -> None:
        self.place, self.store, self.name = place, store, STUDY.name
        self.study_id = store.study(STUDY.name).study_id
        self._running = [self._begin(f"host-{number}-abc") for number in range(1, workers + 1)]
        self._turn = 0
        for each in self._running:
            self._record(each)

    def record(self) -> Running:
        """Record the next epoch of the next worker; a trial at its last epoch is ended before."""
        each = self._next()
        if each.epoch == EPOCHS:
            self._end(each)
        self._record(each)
        return each

    def end(self) -> Running:
        """Let the next worker end its trial and take another one."""
        each = self._next()
        self._end(each)
        return each

    def _next(self) -> Running:
        self._turn += 1
        return self._running[self._turn % len(self._running)]

    def _end(self, each: Running) -> None:
        value = 0.3 + each.claim.number % 97 / 100
        end = TrialEnd(state="COMPLETE", value=value, outcome=Outcome.FINISHED)
        self.store.tell(each.claim, end)
        each.claim, each.epoch = self._claim(each.worker), 0

    def _begin(self, name: str) -> Running:
        return Running(name, self._claim(name))

    def _claim(self, worker: str) -> Claim:
        claim = self.store.claim(STUDY.name, worker, lease_seconds=LEASE_SECONDS)
        if not isinstance(claim, Claim):
            raise RuntimeError(f"there was no trial to claim: {claim.value}")
        with self.store.trial(claim) as trial:
            STUDY.space.suggest(trial)
        return claim

    def _record(self, each: Running) -> None:
        each.epoch += 1
        loss = 1 / each.epoch + each.claim.number % 89 / 1000
        metrics = {"val_loss": loss, "val_loss_low": loss - 0.02, "val_loss_high": loss + 0.02}
        metrics |= {"val_balanced_accuracy": 0.9 - loss / 4, "val_macro_auc": 0.98 - loss / 8}
        metrics |= {"val_macro_f1": 0.9 - loss / 5, "val_ece": 0.02, "val_top1": 0.95 - loss / 4}
        metrics |= {"train_loss": loss * 0.9, "learning_rate": 0.001 / each.epoch}
        self.store.record(each.claim, each.epoch, metrics, loss, seconds=18.0, images=12_000)


@contextmanager
def scene(lab: Lab, size: int, workers: int = 16) -> Iterator[Scene]:
    """Yield a study with that many ended trials, and one running trial a worker."""
    with lab.copy(size) as place, Store.open(place.url, connections=4) as store:
        for number in range(1, workers + 1):
            name = f"host-{number}-abc"
            new = NewWorker(name=name, host="host", pid=number, device="cuda:0", threads=2)
            store.register_worker(STUDY.name, new)
        _give_life(place.url, size, workers)
        yield Scene(place, store, workers)


def _give_life(url: str, size: int, workers: int) -> None:
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        query = "SELECT study_id FROM studies WHERE study_name = :name"
        study = connection.scalar(text(query), {"name": STUDY.name})
        for statement in LIFE.split(";\n"):
            given = {"study": study, "size": size, "workers": workers}
            connection.execute(text(statement.replace("::", r"\:\:")), given)
    run_apart(url, "VACUUM (ANALYZE)")  # else it is done in the middle of a measurement
