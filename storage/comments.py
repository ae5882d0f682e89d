"""One sentence for every table and column of ours; the migrations write them into the database."""

STUDY_ID, TRIAL_ID = "The study, as Optuna numbers it.", "The trial, as Optuna numbers it."

# table -> its sentence, and that of each column
COMMENTS: dict[str, tuple[str, dict[str, str]]] = {
    "studies": (
        "One row per study of search, beside Optuna's row of it.",
        {
            "study_id": STUDY_ID,
            "definition": "The study's file and the facts of its creation, as JSON; the order of"
            " keys is the order in which parameters are drawn.",
            "trials": "The budget: how many trials may begin; NULL for no limit.",
            "fingerprint": "Hash of everything that must not change while the study goes on.",
            "data_fingerprint": "Hash of the images with their labels, groups and splits.",
            "stop": "A request to all workers: drain after the epoch in flight, or stop now.",
            "created_at": "When the study was stored.",
        },
    ),
    "workers": (
        "One row per worker process; a restarted worker is a new row.",
        {
            "worker_id": "Name of the process: host, number and a random part.",
            "study_id": STUDY_ID,
            "host": "Name of the machine.",
            "pid": "Number of the process on its machine.",
            "device": "Where it trains, such as cuda:0 or cpu.",
            "threads": "Threads of the processor that it may use.",
            "machine": "Versions, class of the device and commit, on which results depend; its"
            " GPU's number or UUID.",
            "started_at": "When it was registered.",
            "seen_at": "When it last asked for a trial; beats are on its attempts.",
            "ended_at": "When its supervisor saw it end; NULL before, and where nobody saw it.",
            "exit_code": "Exit code of the process; negative for a signal.",
            "reason": "Why it ended, in one line.",
            "revision": "The newest migration that its search knows; under others it has no trial.",
            "readings": "What it measured of its device and process before its last beat, as JSON.",
        },
    ),
    "attempts": (
        "One row per process that tried a trial; one without an end is the trial's lease.",
        {
            "trial_id": TRIAL_ID,
            "attempt": "Counts 1, 2, 3 within the trial; the fencing token of every write.",
            "worker_id": "The worker that tries it.",
            "lease_seconds": "How long after its last beat the attempt keeps the trial.",
            "started_at": "When the worker claimed the trial.",
            "beat_at": "When the lease was last renewed.",
            "ended_at": "When the attempt ended; NULL while it holds the trial.",
            "reason": "How it ended; of an attempt that ended the trial, the trial's outcome.",
            "detail": "How it ended, in a sentence.",
            "where": "Type, file and line of the exception that ended it.",
            "ends_trial": "Whether the trial ended with this attempt.",
            "touched": "The transaction that last claimed, drew or ended the trial.",
        },
    ),
    "epochs": (
        "One row per recorded epoch of a trial, by the attempt that recorded it first.",
        {
            "trial_id": TRIAL_ID,
            "epoch": "Counts from 1, the first finished one; with folds through all folds.",
            "attempt": "The attempt that recorded it.",
            "value": "The study's metric; NaN and the infinities occur.",
            "metrics": "Every metric, as JSON; NaN and the infinities are strings in it.",
            "seconds": "Time of training and validation.",
            "images": "How many images were trained on.",
            "recorded_at": "When it was written, which is later than its end after an outage.",
        },
    ),
    "replaced_epochs": (
        "One row per epoch that a later attempt, whose code is not deterministic, replaced.",
        {
            "trial_id": TRIAL_ID,
            "attempt": "The attempt that recorded it.",
            "epoch": "Counts from 1, the first finished one; with folds through all folds.",
            "value": "The study's metric; NaN and the infinities occur.",
            "metrics": "Every metric, as JSON; NaN and the infinities are strings in it.",
            "seconds": "Time of training and validation.",
            "images": "How many images were trained on.",
            "recorded_at": "When it was written, which is later than its end after an outage.",
        },
    ),
    "files": (
        "Notes of checkpoints and weights in an artifact store that machines share.",
        {
            "artifact_id": "Name of the file in the store; the file itself may be missing.",
            "trial_id": TRIAL_ID,
            "attempt": "The attempt that shares it.",
            "name": "Name of the file in the attempt's folder.",
            "noted_at": "When the note was written, before the file is sent.",
        },
    ),
    "manifests": (
        "One row per study that has data: its images.",
        {
            "study_id": STUDY_ID,
            "table_gz": "Every image with label, group, split and SHA-1, as CSV in gzip.",
        },
    ),
    "snapshots": (
        "A study's trials as arrays, for processes that start; may be deleted at any time.",
        {
            "study_id": STUDY_ID,
            "trials": "How many trials it holds.",
            "body": "The arrays.",
        },
    ),
    "outages": (
        "One row per time in which a worker trained on without the database.",
        {
            "worker_id": "The worker that had epochs to write and could not.",
            "outage": "Counts 1, 2, 3 within the worker.",
            "study_id": STUDY_ID,
            "began_at": "When its first write failed: so many of its seconds before the end.",
            "ended_at": "When the database had all epochs that had waited.",
            "epochs": "How many epochs had waited.",
        },
    ),
    "draws": (
        "One row per trial whose values were drawn: how, and why so.",
        {
            "trial_id": TRIAL_ID,
            "way": "enqueued, prior, uniform, model, or model_with_prior.",
            "why": "What the sampler knew of the priors at that time, as JSON; NULL for nothing.",
            "digest": "Stands for the study and the values; NULL where an earlier trial has them.",
        },
    ),
    "rungs": (
        "One row per trial and rung of its schedule, by which the trials after it are judged.",
        {
            "trial_id": TRIAL_ID,
            "rung": "Counts 1, 2, 3 within the schedule.",
            "study_id": STUDY_ID,
            "kin": "The options that change a curve's shape; only equal ones are compared.",
            "epoch": "The epoch at which it got there.",
            "value": "The best value until then, or the newest where the last one counts.",
            "rank": "Its rank by value when it got there, from 1.",
            "among": "Among how many of its kin that were there, itself included.",
        },
    ),
    "test_uses": (
        "One row per opening of a study's test split, written before the split is read.",
        {
            "use_id": "Counts the openings.",
            "study_id": STUDY_ID,
            "used_at": "When it was opened.",
            "used_by": "The worker or process that opened it.",
            "purpose": "Why, such as confirm.",
            "data_fingerprint": "Hash of the data that were opened.",
        },
    ),
}
