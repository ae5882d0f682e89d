"""A worker of a search that knows the migrations of a folder: `aged.py URL MIGRATIONS NAME`.

It makes a step for every line of its input: open, register, claim, record or tell. It answers each
with `ok` or with the error that a user would see.
"""

import sys
from pathlib import Path

from storage import schema
from storage.errors import StorageError
from storage.rows import NewWorker, Outcome, TrialEnd
from storage.store import Claim, Store


class Worker:
    """The steps of one worker; each is a method."""

    def __init__(self, url: str, name: str) -> None:
        self.url, self.name = url, name
        self.store: Store
        self.claimed: Claim

    def open(self) -> None:
        self.store = Store.open(self.url)

    def register(self) -> None:
        worker = NewWorker(name=self.name, host="host", pid=1, device="cpu", threads=1)
        self.store.register_worker("toy", worker)

    def claim(self) -> None:
        claimed = self.store.claim("toy", self.name, lease_seconds=30)
        assert isinstance(claimed, Claim)
        self.claimed = claimed

    def record(self) -> None:
        self.store.record(self.claimed, 1, {"val_loss": 0.5}, 0.5, seconds=1.0, images=1)

    def tell(self) -> None:
        end = TrialEnd(state="COMPLETE", value=0.5, outcome=Outcome.FINISHED)
        self.store.tell(self.claimed, end)


def main(url: str, migrations: str, name: str) -> None:
    """Answer until the input ends."""
    schema.MIGRATIONS = Path(migrations)
    worker = Worker(url, name)
    for line in sys.stdin:
        try:
            getattr(worker, line.strip())()
            print("ok", flush=True)
        except StorageError as error:
            print(error, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
