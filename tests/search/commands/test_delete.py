"""Deleting a study leaves nothing of it on this machine."""

from argparse import Namespace
from io import BytesIO
from pathlib import Path

from search.commands.delete import delete
from search.settings import Settings
from search.studies.splits import split_file
from storage import artifacts
from storage.store import Claim, Store
from tests.storage.samples import new_study, new_worker


def test_a_deleted_study_takes_the_files_of_every_attempt_along_and_no_others(
    tmp_path: Path, database_url: str
) -> None:
    settings = Settings(home=tmp_path, database_url=database_url)
    with Store.open(database_url) as store:
        for study in ("mine", "other"):
            store.create(new_study(study))
            keep_two_attempts_files(store, settings, study)
            split_file(settings, study).parent.mkdir(exist_ok=True)
            split_file(settings, study).write_text("path,split,fold\n")
        others = artifacts.kept_ids(store, "other", ["traceback.txt"])
        others += [file.artifact_id for file in store.files("other")]

    delete(Namespace(name="mine", yes=True), settings)

    assert len(others) == 4
    assert {path.name for path in Path(settings.artifacts).iterdir()} == set(others)
    assert not settings.study_folder("mine").exists()
    assert [split_file(settings, study).exists() for study in ("mine", "other")] == [False, True]


def keep_two_attempts_files(store: Store, settings: Settings, study: str) -> None:
    """Have a trial that was tried twice, with a traceback and a checkpoint of each attempt."""
    report = settings.home / "traceback.txt"
    report.write_text("it broke")
    for worker in (f"{study}-1", f"{study}-2"):
        store.register_worker(study, new_worker(worker))
        claim = store.claim(study, worker, lease_seconds=30)
        assert isinstance(claim, Claim)
        kept = artifacts.artifact_store(settings.artifacts)
        artifacts.keep(kept, claim, report)
        artifacts.share(store, kept, claim, "epoch-0001.ckpt", BytesIO(b"state"))
        store.hand_back(claim, "drained")
