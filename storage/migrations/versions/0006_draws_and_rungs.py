"""How each trial was drawn, and how good it was at each rung of its schedule."""

from alembic import op

revision = "0006"
down_revision = "0005"

DRAWS = """
CREATE TABLE search_service.draws (
    trial_id integer PRIMARY KEY REFERENCES trials ON DELETE CASCADE,
    way text NOT NULL,
    why json
)"""
RUNGS = """
CREATE TABLE search_service.rungs (
    trial_id integer NOT NULL REFERENCES trials ON DELETE CASCADE,
    rung integer NOT NULL,
    study_id integer NOT NULL REFERENCES search_service.studies ON DELETE CASCADE,
    kin text NOT NULL,
    epoch integer NOT NULL,
    value double precision NOT NULL,
    rank integer NOT NULL,
    among integer NOT NULL,
    PRIMARY KEY (trial_id, rung)
)"""
# Judging a trial reads the values of one rung and kin, and nothing else.
OF_A_RUNG = """
CREATE INDEX trials_of_a_rung ON search_service.rungs (study_id, rung, kin)
    INCLUDE (trial_id, value)"""


def upgrade() -> None:
    """Add the tables."""
    for statement in (DRAWS, RUNGS, OF_A_RUNG):
        op.execute(statement)
