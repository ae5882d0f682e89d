"""The epochs of code that is not deterministic which a later attempt has replaced."""

from alembic import op

revision = "0007"
down_revision = "0006"

REPLACED = """
CREATE TABLE search_service.replaced_epochs (
    trial_id integer NOT NULL,
    attempt integer NOT NULL,
    epoch integer NOT NULL,
    value double precision NOT NULL,
    metrics json NOT NULL,
    seconds double precision NOT NULL,
    images bigint NOT NULL,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (trial_id, attempt, epoch),
    FOREIGN KEY (trial_id, attempt) REFERENCES search_service.attempts ON DELETE CASCADE
)"""


def upgrade() -> None:
    """Add the table."""
    op.execute(REPLACED)
