"""Our tables beside Optuna's: studies, workers, attempts, epochs, files and the rest.

They live in a schema of their own. Their rows refer to Optuna's and are deleted with them. What
each table and column holds stands in storage/comments.py.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    false,
    func,
)
from sqlalchemy.types import UserDefinedType

from storage.comments import COMMENTS
from storage.optuna_inside import optuna_tables

# Not "search": a role of the same name would draw Optuna's tables into it ("$user" on the path).
SCHEMA = "search_service"
VIEWS = "search_views"  # for people; our code reads none of them
OUR_FUNCTIONS = ("is_live", "claim", "wake", "wake_at_end")

optuna_studies: Table = optuna_tables.tables["studies"]
directions: Table = optuna_tables.tables["study_directions"]
trials: Table = optuna_tables.tables["trials"]
attributes: Table = optuna_tables.tables["trial_system_attributes"]


class Words(TypeDecorator[str]):
    r"""Any text: what Postgres takes in none, a zero byte or half a pair, is stored as `\x00`."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Return the text as it is stored."""
        if value is None:
            return None
        return value.replace("\0", r"\x00").encode("utf-8", "backslashreplace").decode()


class TransactionId(UserDefinedType[str]):
    """The number of a transaction, which is never given twice."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        """Return the type's name in Postgres."""
        return "xid8"


metadata = MetaData(schema=SCHEMA)
MOMENT = DateTime(timezone=True)


def _key_of_study(of: Table) -> Column[int]:
    """Return the key of a table with at most one row per study, which is deleted with the study."""
    to = ForeignKey(of.c.study_id, ondelete="CASCADE")
    return Column("study_id", to, primary_key=True, autoincrement=False)


studies = Table(
    "studies",
    metadata,
    _key_of_study(optuna_studies),
    # JSON, not JSONB: the order of keys is the order in which parameters are drawn.
    Column("definition", JSON, nullable=False),
    # The definition has the budget too, but leaves it out at its default.
    Column("trials", Integer),
    Column("fingerprint", Words, nullable=False),
    Column("data_fingerprint", Words, nullable=False),
    Column("stop", Words, CheckConstraint("stop IN ('drain', 'now')")),
    Column("created_at", MOMENT, nullable=False, server_default=func.now()),
)

workers = Table(
    "workers",
    metadata,
    Column("worker_id", Words, primary_key=True),
    Column(
        "study_id",
        ForeignKey(studies.c.study_id, ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("host", Words, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("device", Words, nullable=False),
    Column("threads", Integer, nullable=False),
    Column("machine", JSON, nullable=False),
    Column("started_at", MOMENT, nullable=False, server_default=func.now()),
    Column("seen_at", MOMENT, nullable=False, server_default=func.now()),
    Column("ended_at", MOMENT),
    Column("exit_code", Integer),
    Column("reason", Words),
    Column("revision", Words),
    Column("readings", JSON),
)

attempts = Table(
    "attempts",
    metadata,
    Column("trial_id", ForeignKey(trials.c.trial_id, ondelete="CASCADE"), primary_key=True),
    Column("attempt", Integer, primary_key=True, autoincrement=False),
    Column("worker_id", ForeignKey(workers.c.worker_id, ondelete="CASCADE"), nullable=False),
    Column("lease_seconds", Double, nullable=False),
    Column("started_at", MOMENT, nullable=False, server_default=func.clock_timestamp()),
    Column("beat_at", MOMENT, nullable=False, server_default=func.clock_timestamp()),
    Column("ended_at", MOMENT),
    Column("reason", Words),
    Column("detail", Words),
    Column("where", Words),
    Column("ends_trial", Boolean, nullable=False, server_default=false()),
    # For storage/engine/changes.py.
    Column("touched", TransactionId, nullable=False, server_default=func.pg_current_xact_id()),
    CheckConstraint("(ended_at IS NULL) = (reason IS NULL)", name="an_end_has_a_reason"),
)
Index(
    "one_lease_per_trial",
    attempts.c.trial_id,
    unique=True,
    postgresql_where=attempts.c.ended_at.is_(None),
)
Index("attempts_of_a_worker", attempts.c.worker_id, attempts.c.started_at)
Index("leases_of_a_worker", attempts.c.worker_id, postgresql_where=attempts.c.ended_at.is_(None))
Index("attempts_by_touch", attempts.c.touched)

epochs = Table(
    "epochs",
    metadata,
    Column("trial_id", Integer, primary_key=True, autoincrement=False),
    Column("epoch", Integer, primary_key=True, autoincrement=False),
    Column("attempt", Integer, nullable=False),
    Column("value", Double, nullable=False),
    Column("metrics", JSON, nullable=False),
    Column("seconds", Double, nullable=False),
    Column("images", BigInteger, nullable=False),
    Column("recorded_at", MOMENT, nullable=False, server_default=func.clock_timestamp()),
    ForeignKeyConstraint(
        ["trial_id", "attempt"], [attempts.c.trial_id, attempts.c.attempt], ondelete="CASCADE"
    ),
)

replaced_epochs = Table(
    "replaced_epochs",
    metadata,
    Column("trial_id", Integer, primary_key=True, autoincrement=False),
    Column("attempt", Integer, primary_key=True, autoincrement=False),
    Column("epoch", Integer, primary_key=True, autoincrement=False),
    Column("value", Double, nullable=False),
    Column("metrics", JSON, nullable=False),
    Column("seconds", Double, nullable=False),
    Column("images", BigInteger, nullable=False),
    Column("recorded_at", MOMENT, nullable=False),
    ForeignKeyConstraint(
        ["trial_id", "attempt"], [attempts.c.trial_id, attempts.c.attempt], ondelete="CASCADE"
    ),
)

files = Table(
    "files",
    metadata,
    Column("artifact_id", Words, primary_key=True),
    Column("trial_id", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("name", Words, nullable=False),
    Column("noted_at", MOMENT, nullable=False, server_default=func.clock_timestamp()),
    ForeignKeyConstraint(
        ["trial_id", "attempt"], [attempts.c.trial_id, attempts.c.attempt], ondelete="CASCADE"
    ),
)
Index("files_of_a_trial", files.c.trial_id)

# 56,000 images take 2 to 3 MB.
manifests = Table(
    "manifests",
    metadata,
    _key_of_study(studies),
    Column("table_gz", LargeBinary, nullable=False),
)

snapshots = Table(
    "snapshots",
    metadata,
    _key_of_study(studies),
    Column("trials", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

outages = Table(
    "outages",
    metadata,
    Column("worker_id", ForeignKey(workers.c.worker_id, ondelete="CASCADE"), primary_key=True),
    Column("outage", Integer, primary_key=True, autoincrement=False),
    Column("study_id", ForeignKey(studies.c.study_id, ondelete="CASCADE"), nullable=False),
    Column("began_at", MOMENT, nullable=False),
    Column("ended_at", MOMENT, nullable=False),
    Column("epochs", Integer, nullable=False),
)
Index("outages_of_a_study", outages.c.study_id, outages.c.ended_at)

draws = Table(
    "draws",
    metadata,
    Column(
        "trial_id",
        ForeignKey(trials.c.trial_id, ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("way", Words, nullable=False),
    Column("why", JSON),
    Column("digest", Words),
)
Index("one_trial_per_digest", draws.c.digest, unique=True)

rungs = Table(
    "rungs",
    metadata,
    Column("trial_id", ForeignKey(trials.c.trial_id, ondelete="CASCADE"), primary_key=True),
    Column("rung", Integer, primary_key=True, autoincrement=False),
    Column("study_id", ForeignKey(studies.c.study_id, ondelete="CASCADE"), nullable=False),
    Column("kin", Words, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("value", Double, nullable=False),
    Column("rank", Integer, nullable=False),
    Column("among", Integer, nullable=False),
)
Index(
    "trials_of_a_rung",
    rungs.c.study_id,
    rungs.c.rung,
    rungs.c.kin,
    postgresql_include=["trial_id", "value"],
)

test_uses = Table(
    "test_uses",
    metadata,
    Column("use_id", BigInteger, Identity(always=True), primary_key=True),
    Column("study_id", ForeignKey(studies.c.study_id, ondelete="CASCADE"), nullable=False),
    Column("used_at", MOMENT, nullable=False, server_default=func.clock_timestamp()),
    Column("used_by", Words, nullable=False),
    Column("purpose", Words, nullable=False),
    Column("data_fingerprint", Words, nullable=False),
)
Index("test_uses_of_a_study", test_uses.c.study_id)

for name, (about, columns) in COMMENTS.items():
    table = metadata.tables[f"{SCHEMA}.{name}"]
    table.comment = about
    for column, meaning in columns.items():
        table.c[column].comment = meaning
