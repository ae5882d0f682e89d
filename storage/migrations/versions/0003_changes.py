"""The transaction that last changed a trial, by which readers find what is new, and snapshots."""

from alembic import op

revision = "0003"
down_revision = "0002"

TOUCHED = """
ALTER TABLE search_service.attempts
    ADD COLUMN touched xid8 NOT NULL DEFAULT pg_current_xact_id()"""
BY_TOUCH = "CREATE INDEX attempts_by_touch ON search_service.attempts (touched)"
SNAPSHOTS = """
CREATE TABLE search_service.snapshots (
    study_id integer PRIMARY KEY REFERENCES search_service.studies ON DELETE CASCADE,
    trials integer NOT NULL,
    body bytea NOT NULL
)"""


def upgrade() -> None:
    """Add the column, its index, and the table."""
    for statement in (TOUCHED, BY_TOUCH, SNAPSHOTS):
        op.execute(statement)
