"""What a study's data was, and how often its test split was opened."""

from alembic import op

revision = "0003"
down_revision = "0002"

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
INDEX = "CREATE INDEX test_uses_of_a_study ON search_service.test_uses (study_id)"


def upgrade() -> None:
    """Create the tables."""
    for statement in (MANIFESTS, TEST_USES, INDEX):
        op.execute(statement)
