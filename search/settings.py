"""The settings of this machine, read from the environment and a file; nothing else reads them."""

import math
import os
import re
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from search.errors import UsageError
from search.secrets_file import VARIABLE as SECRETS_FILE
from search.secrets_file import with_secrets

LEASE_SECONDS = 30.0
BEATS_PER_LEASE = 3  # two may be missed
SHORTEST_SECONDS = 0.1  # a beat is a write
LONGEST_SECONDS = 86_400.0
MOST_THREADS = 1024
S3 = re.compile(r"s3://[^\s/].*")
# What is meant as an address and would make a folder: s3:/b, s3//b, S3:b, "s3://b", nas:/data.
MISTYPED = re.compile(r"""s3[:/\\]|['"]|[^/.]+:""", re.IGNORECASE)
# A path as it stands in a shell's script, read by a program that is no shell: "/x", $HOME/x, /${A}.
UNREAD = re.compile(r"""(['"]).*\1|(?:.*/)?\$\{?[A-Za-z_].*""", re.DOTALL)
# Where messages go: the supervisor's alone, so kept from its children.
WEBHOOK = "SEARCH_WEBHOOK"
WEBHOOK_SECRET = "SEARCH_WEBHOOK_SECRET"
WEBHOOK_FILE = "SEARCH_WEBHOOK_FILE"
OF_THE_SUPERVISOR = (WEBHOOK, WEBHOOK_SECRET, WEBHOOK_FILE)
TOKEN_VARIABLE = "SEARCH_DASHBOARD_TOKEN"
# Our variables by the word that tells one, and by a short form of it.
NAMES = {
    "HOME": "SEARCH_HOME",
    "DATABASE": "SEARCH_DATABASE_URL",
    "DB": "SEARCH_DATABASE_URL",
    "VIEWER": "SEARCH_VIEWER_DATABASE_URL",
    "ARTIFACTS": "SEARCH_ARTIFACTS",
    "CACHE": "SEARCH_CACHE",
    "DASHBOARD": TOKEN_VARIABLE,
    "LEASE": "SEARCH_LEASE_SECONDS",
    "BEAT": "SEARCH_BEAT_SECONDS",
    "WEBHOOK": WEBHOOK,
    "WEBHOOK_SECRET": WEBHOOK_SECRET,
    "WEBHOOK_FILE": WEBHOOK_FILE,
    "SECRETS": SECRETS_FILE,
    "SECRETS_FILE": SECRETS_FILE,
}
# An engine's variables for its job, the first that is set, and for the task of an array.
JOB_OF_ENGINE = {
    "slurm": (("SLURM_ARRAY_JOB_ID", "SLURM_JOB_ID"), "SLURM_ARRAY_TASK_ID"),
    "ray": (("RAY_JOB_ID",), ""),
}
OF_A_SERVICE = re.compile(r"_(SERVICE|PORT)(_|$)")  # Kubernetes sets them: SEARCH_DB_SERVICE_HOST


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Where this machine keeps files and how it reaches the database.

    home: `SEARCH_HOME`, else the nearest folder `.search` upwards, else `./.search`.
    database_url: `SEARCH_DATABASE_URL`, or None for the embedded Postgres under `home`.
    viewer_database_url: `SEARCH_VIEWER_DATABASE_URL`, the database through a role that may only
        read, for pages; None for the role of `database_url`, or the embedded Postgres' own.
    visible_gpus: `CUDA_VISIBLE_DEVICES`; None means all.
    threads: `OMP_NUM_THREADS`, if set.
    lease_seconds: `SEARCH_LEASE_SECONDS`, how long a silent worker keeps its trial.
    beat_seconds: `SEARCH_BEAT_SECONDS`, how often a lease is renewed; else a third of it.
    shared_artifacts: `SEARCH_ARTIFACTS`, a folder or an s3:// address that other machines reach.
    own_cache: `SEARCH_CACHE`, this machine's folder of decoded images, for a home on a share.
    webhook, webhook_secret, webhook_file: `SEARCH_WEBHOOK...`, read by search/notify/webhook.py in
        the commands that need them.
    dashboard_token: `SEARCH_DASHBOARD_TOKEN`, what a file of tokens holds; it is shown nowhere.
    secrets_file: `SEARCH_SECRETS_FILE`, from which the secrets above may come; other processes of
        ours get its path.
    engine: the program that started this process on a cluster: `name`, and `job` where it tells.
    """

    home: Path
    database_url: str | None = None
    viewer_database_url: str | None = None
    visible_gpus: str | None = None
    threads: int | None = None
    lease_seconds: float = LEASE_SECONDS
    beat_seconds: float = LEASE_SECONDS / BEATS_PER_LEASE
    shared_artifacts: str | None = None
    own_cache: Path | None = None
    webhook: str | None = field(default=None, repr=False)
    webhook_secret: str | None = field(default=None, repr=False)
    webhook_file: Path | None = None
    dashboard_token: str | None = field(default=None, repr=False)
    secrets_file: Path | None = None
    engine: Mapping[str, str] = field(default_factory=dict)

    @property
    def artifacts(self) -> str:
        """The location of the files that studies keep: a folder, or s3://bucket/prefix."""
        return self.shared_artifacts or str(self.home / "artifacts")

    @property
    def cache(self) -> Path:
        """The folder of decoded images, shared by the machine's workers."""
        return self.own_cache or self.home / "cache"

    @property
    def logs(self) -> Path:
        """The folder of the log files."""
        return self.home / "logs"

    def study_folder(self, study: str) -> Path:
        """Return the folder of a study's own files on this machine."""
        return self.home / "studies" / study

    def trial_folder(self, study: str, number: int) -> Path:
        """Return the folder in which the attempts at one trial write."""
        return self.trials_folder(study) / str(number)

    def attempt_folder(self, study: str, number: int, attempt: int, worker: str) -> Path:
        """Return the folder in which one attempt writes.

        Its worker is in its name: a study of this name that was deleted elsewhere, or one of
        another database, has left trials and attempts of the same numbers here.
        """
        return self.trial_folder(study, number) / f"attempt-{attempt}-{worker}"

    def trials_folder(self, study: str) -> Path:
        """Return the folder that holds a folder per trial, by its number."""
        return self.study_folder(study) / "trials"


def read_settings(
    own: MutableMapping[str, str] = os.environ, folder: Path | None = None
) -> Settings:
    """Read the settings from an environment; UsageError for a value that cannot be used.

    own: this process's environment; the secrets that libraries read are put into it.
    folder: the folder from which a home is looked for upwards; None for the current one.
    """
    _refuse_unknown(own)
    secrets = _file(own, SECRETS_FILE)
    environment = with_secrets(own, secrets) if secrets else own
    given = _given(environment, "SEARCH_HOME")
    home = _folder("SEARCH_HOME", given) if given else _nearest_home(folder or Path.cwd())
    lease = _seconds(environment, "SEARCH_LEASE_SECONDS", LEASE_SECONDS)
    beat = _seconds(environment, "SEARCH_BEAT_SECONDS", lease / BEATS_PER_LEASE)
    if beat >= lease:
        raise UsageError(
            f"SEARCH_BEAT_SECONDS is {beat:g} and the lease {lease:g} s",
            "make the beat shorter: several must fit into one lease",
        )
    return Settings(
        home=home.resolve(),
        database_url=_given(environment, "SEARCH_DATABASE_URL"),
        viewer_database_url=_given(environment, "SEARCH_VIEWER_DATABASE_URL"),
        visible_gpus=environment.get("CUDA_VISIBLE_DEVICES"),
        threads=_threads(environment.get("OMP_NUM_THREADS", "")),
        lease_seconds=lease,
        beat_seconds=beat,
        shared_artifacts=_artifact_location(_given(environment, "SEARCH_ARTIFACTS")),
        own_cache=_file(environment, "SEARCH_CACHE"),
        webhook=_given(environment, WEBHOOK),
        webhook_secret=_given(environment, WEBHOOK_SECRET),
        webhook_file=_file(environment, WEBHOOK_FILE),
        dashboard_token=_given(environment, TOKEN_VARIABLE),
        secrets_file=secrets,
        engine=_engine(environment),
    )


def _refuse_unknown(environment: Mapping[str, str]) -> None:
    """Refuse a variable that is meant as one of ours: a run would write to another place."""
    for name in environment:
        prefix, _, rest = name.upper().partition("_")
        if prefix != "SEARCH" or name in NAMES.values() or OF_A_SERVICE.search(name):
            continue
        first = rest.partition("_")[0]
        if close := [
            *get_close_matches(rest, NAMES, 1, 0.85),
            *get_close_matches(first, NAMES, 1, 0.85),
        ]:
            raise UsageError(
                f"{name} is set, and search does not read it",
                f"did you mean {NAMES[close[0]]}? If not, unset it",
            )


def _engine(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the engine of a cluster that started this process, by the variables that it sets."""
    for name, (jobs, tasks) in JOB_OF_ENGINE.items():
        job = next(filter(None, (environment.get(variable) for variable in jobs)), None)
        if job:
            task = environment.get(tasks, "")
            return {"name": name, "job": f"{job}_{task}" if task else job}
    if "KUBERNETES_SERVICE_HOST" in environment:
        return {"name": "k8s", "job": environment.get("HOSTNAME", "")}  # the pod's, JOB-INDEX
    return {}


def _given(environment: Mapping[str, str], name: str) -> str | None:
    """Return a variable's value without the blanks and line ends that files leave around it."""
    return environment.get(name, "").strip() or None


def _file(environment: Mapping[str, str], name: str) -> Path | None:
    given = _given(environment, name)
    return _folder(name, given).absolute() if given else None


def _seconds(environment: Mapping[str, str], name: str, default: float) -> float:
    text = environment.get(name)
    if not text:
        return default
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not SHORTEST_SECONDS <= seconds <= LONGEST_SECONDS:
        raise UsageError(
            f"{name} is {text!r}",
            f"set it to {SHORTEST_SECONDS:g} to {LONGEST_SECONDS:g} seconds, or unset it",
        )
    return seconds


def _threads(given: str) -> int | None:
    """Read OMP_NUM_THREADS; of a list, one number per level of nesting, the first counts."""
    first = given.partition(",")[0].strip()
    if not (first.isascii() and first.isdigit()):
        return None
    return min(int(first[:6]), MOST_THREADS) or None


def _artifact_location(given: str | None) -> str | None:
    if not given:
        return None
    if S3.fullmatch(given):
        return given
    if MISTYPED.match(given) or "://" in given:
        raise UsageError(
            f"SEARCH_ARTIFACTS is {given!r}",
            "set it to s3://bucket/prefix or to a folder, one with such a name as ./NAME",
        )
    return str(_folder("SEARCH_ARTIFACTS", given).resolve())


def _folder(name: str, given: str) -> Path:
    """Return the path that a variable names; UsageError where it cannot be meant as one."""
    if "://" in given:
        raise UsageError(f"{name} is {given!r}, an address", "set it to a path")
    if UNREAD.fullmatch(given):
        raise UsageError(
            f"{name} is {given!r}, as no shell has read it",
            "write the whole path, without quotes and variables",
        )
    try:
        return Path(given).expanduser()
    except RuntimeError:  # ~ of a user that is not there, or without HOME
        raise UsageError(
            f"{name} is {given!r}, and there is no such user's folder", "write the whole path"
        ) from None


def _nearest_home(folder: Path) -> Path:
    for parent in (folder, *folder.parents):
        if (parent / ".search").is_dir():
            return parent / ".search"
    return folder / ".search"
