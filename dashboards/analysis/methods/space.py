"""The searched parameters of a study in a table: their values, their priors, their conditions."""

from collections.abc import Sequence

from dashboards.analysis.methods.sections import Code, Phrase, Table
from dashboards.analysis.priors.declared import condition_of, prior_of, values_of
from spaces.space import Space


def space_table(space: Space) -> Table:
    """Build the table of the searched parameters, in drawing order."""
    rows: list[Sequence[Phrase]] = [
        [[Code(param.name)], [values_of(param)], [prior_of(param)], [condition_of(param)]]
        for param in space
    ]
    return Table(["parameter", "values", "prior", "only when"], rows)
