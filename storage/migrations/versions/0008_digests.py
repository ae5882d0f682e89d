"""A digest of each draw's values: of two trials that draw the same at once, one draws again."""

from alembic import op

revision = "0008"
down_revision = "0007"

DIGEST = "ALTER TABLE search_service.draws ADD COLUMN digest text"
OF_DRAWS = "CREATE UNIQUE INDEX one_trial_per_digest ON search_service.draws (digest)"


def upgrade() -> None:
    """Add the column and its index."""
    for statement in (DIGEST, OF_DRAWS):
        op.execute(statement)
