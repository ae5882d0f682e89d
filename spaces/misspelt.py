"""The nearest names for one that a study file misspells: a keyword, a part of a study, a module."""

import builtins
import inspect
import re
from difflib import get_close_matches
from types import TracebackType

from spaces import data, params, priors, script, study
from spaces.errors import closest

_MODULES = (script, data, params, priors, study)  # `Table` alone is one of data
# What a study file is made of: name -> the class.
_PARTS = {
    name: part
    for module in _MODULES
    for name, part in vars(module).items()
    if inspect.isclass(part) and part.__module__ == module.__name__
}
_WEIGHTS = "write each option with its weight: Choice(NAME, {OPTION: WEIGHT})"
_OF_PARAM = "a prior stands with its parameter: Float(NAME, LOW, HIGH, prior=Prior(CENTER))"
_FIXED = "write Study(fixed={NAME: VALUE}) instead of a parameter"
# Words of other libraries, and good guesses: (class, keyword) -> what the class has for it.
_WORDS = {
    ("Choice", "weights"): _WEIGHTS,
    ("Choice", "prior"): _WEIGHTS,
    ("Toggle", "weights"): "did you mean 'prior', the probability of on?",
    ("Prior", "spread"): "did you mean 'confidence': low, medium or high?",
    ("Prior", "std"): "did you mean 'confidence': low, medium or high?",
    ("Prior", "mean"): "did you mean 'center'?",
    ("Study", "prior"): _OF_PARAM,
    ("Study", "priors"): _OF_PARAM,
    ("Study", "weights"): _WEIGHTS,
    **{(each, "fixed"): _FIXED for each in ("Float", "Int", "Choice", "Toggle")},
    **{
        (each, keyword): "did you mean prior=Prior(CENTER, CONFIDENCE)?"
        for each in ("Float", "Int")
        for keyword in ("center", "weights", "confidence")
    },
}
_KEYWORD = re.compile(r"(\w+)\.__init__\(\) got an unexpected keyword argument '(\w+)'")
_IMPORTED = re.compile(r"cannot import name '(\w+)' from '(spaces\.?\w*)'")


def meant(error: Exception) -> str:
    """Return the end of the message of an error by a misspelt name; "" where no name is near."""
    if isinstance(error, TypeError) and (found := _KEYWORD.search(str(error))):
        part, keyword = found.groups()
        if words := _WORDS.get((part, keyword)):
            return words
        known = inspect.signature(_PARTS[part]).parameters if part in _PARTS else ()
        return _question(closest(keyword, known))
    if isinstance(error, ModuleNotFoundError):
        return _question(_module(error.name or ""))
    if isinstance(error, ImportError) and (found := _IMPORTED.search(str(error))):
        return _import_of(closest(found[1], _PARTS))
    if isinstance(error, NameError) and error.name:
        defined = _defined(error.__traceback__)
        near = closest(error.name, {*defined, *_PARTS})
        return _question(near) if near in defined else _import_of(near)
    return ""


def _module(name: str) -> str:
    """Return the module of a study's parts that is meant; "" for the name of another package."""
    if not get_close_matches(name.partition(".")[0], ["spaces"], 1, 0.8):
        return ""
    return closest(name, [module.__name__ for module in _MODULES]) if "." in name else "spaces"


def _question(name: str) -> str:
    return f"did you mean {name!r}?" if name else ""


def _import_of(name: str) -> str:
    part = _PARTS.get(name)
    return f"did you mean `from {part.__module__} import {name}`?" if part else ""


def _defined(trace: TracebackType | None) -> set[str]:
    """Return the names that are defined where the error was raised."""
    while trace and trace.tb_next:
        trace = trace.tb_next
    here = {*trace.tb_frame.f_globals, *trace.tb_frame.f_locals} if trace else set()
    return {name for name in (*here, *vars(builtins)) if not name.startswith("_")}
