"""Files that machines share: checkpoints and weights in the artifact store."""

from alembic import op

revision = "0002"
down_revision = "0001"

FILES = """
CREATE TABLE search_service.files (
    artifact_id text PRIMARY KEY,
    trial_id integer NOT NULL,
    attempt integer NOT NULL,
    name text NOT NULL,
    noted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    FOREIGN KEY (trial_id, attempt) REFERENCES search_service.attempts ON DELETE CASCADE
)"""
INDEX = "CREATE INDEX files_of_a_trial ON search_service.files (trial_id)"


def upgrade() -> None:
    """Create the table."""
    op.execute(FILES)
    op.execute(INDEX)
