"""D01, D02, O01 for a script: the hyperparameters and the metric that it cannot know of."""

from collections.abc import Iterator

from spaces.errors import nearest
from spaces.rules.finding import Finding
from spaces.script import Script, unknown_placeholders, unseen_parameters
from spaces.study import Study


def script_faults(study: Study) -> Iterator[Finding]:
    """Find placeholders without a value, values that reach no script, and an unreported metric."""
    script = study.objective
    if not isinstance(script, Script):
        return
    for name, fix in unknown_placeholders(script, (*study.fixed, *study.space.names)).items():
        message = f"the command has {{{name}}}, which is neither fixed nor searched; {fix}"
        yield Finding("D01", "error", message)
    for name in unseen_parameters(script, study.space.names):
        yield Finding(
            "D02",
            "error",
            f"{name!r} is searched but reaches no script; put {{{name}}} into its command, or"
            " {config} for a file with all of them",
        )
    reported = script.reported(study.metric)
    if reported is not None and study.metric not in reported:
        message = (
            f"the script's results have no {study.metric!r}; {nearest(study.metric, reported)}"
        )
        yield Finding("O01", "error", message)
