"""All tables of 0.1.0."""

from alembic import op

revision = "0001"
down_revision = None

STUDIES = """
CREATE TABLE search_service.studies (
    study_id integer PRIMARY KEY REFERENCES studies ON DELETE CASCADE,
    definition json NOT NULL,
    trials integer,
    fingerprint text NOT NULL,
    data_fingerprint text NOT NULL,
    stop text CHECK (stop IN ('drain', 'now')),
    created_at timestamptz NOT NULL DEFAULT now()
)"""

WORKERS = """
CREATE TABLE search_service.workers (
    worker_id text PRIMARY KEY,
    study_id integer NOT NULL REFERENCES search_service.studies ON DELETE CASCADE,
    host text NOT NULL,
    pid integer NOT NULL,
    device text NOT NULL,
    threads integer NOT NULL,
    machine json NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    seen_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    exit_code integer,
    reason text
)"""

ATTEMPTS = """
CREATE TABLE search_service.attempts (
    trial_id integer NOT NULL REFERENCES trials ON DELETE CASCADE,
    attempt integer NOT NULL,
    worker_id text NOT NULL REFERENCES search_service.workers ON DELETE CASCADE,
    lease_seconds double precision NOT NULL,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    beat_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at timestamptz,
    reason text,
    detail text,
    "where" text,
    ends_trial boolean NOT NULL DEFAULT false,
    PRIMARY KEY (trial_id, attempt),
    CONSTRAINT an_end_has_a_reason CHECK ((ended_at IS NULL) = (reason IS NULL))
)"""

EPOCHS = """
CREATE TABLE search_service.epochs (
    trial_id integer NOT NULL,
    epoch integer NOT NULL,
    attempt integer NOT NULL,
    value double precision NOT NULL,
    metrics json NOT NULL,
    seconds double precision NOT NULL,
    images bigint NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (trial_id, epoch),
    FOREIGN KEY (trial_id, attempt) REFERENCES search_service.attempts ON DELETE CASCADE
)"""

FILES = """
CREATE TABLE search_service.files (
    artifact_id text PRIMARY KEY,
    trial_id integer NOT NULL,
    attempt integer NOT NULL,
    name text NOT NULL,
    noted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    FOREIGN KEY (trial_id, attempt) REFERENCES search_service.attempts ON DELETE CASCADE
)"""

MANIFESTS = """
CREATE TABLE search_service.manifests (
    study_id integer PRIMARY KEY REFERENCES search_service.studies ON DELETE CASCADE,
    table_gz bytea NOT NULL
)"""

TEST_USES = """
CREATE TABLE search_service.test_uses (
    use_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    study_id integer NOT NULL REFERENCES search_service.studies ON DELETE CASCADE,
    used_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    used_by text NOT NULL,
    purpose text NOT NULL,
    data_fingerprint text NOT NULL
)"""

INDEXES = """
CREATE INDEX ix_search_service_workers_study_id ON search_service.workers (study_id);
CREATE UNIQUE INDEX one_lease_per_trial ON search_service.attempts (trial_id)
    WHERE ended_at IS NULL;
CREATE INDEX attempts_of_a_worker ON search_service.attempts (worker_id, started_at);
CREATE INDEX leases_of_a_worker ON search_service.attempts (worker_id) WHERE ended_at IS NULL;
CREATE INDEX files_of_a_trial ON search_service.files (trial_id);
CREATE INDEX test_uses_of_a_study ON search_service.test_uses (study_id)
"""


def upgrade() -> None:
    """Create the tables."""
    for statement in (STUDIES, WORKERS, ATTEMPTS, EPOCHS, FILES, MANIFESTS, TEST_USES, INDEXES):
        op.execute(statement)
