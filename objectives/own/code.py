"""Import a function of the author's, and find the files that belong to it."""

import hashlib
import importlib
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from itertools import filterfalse
from pathlib import Path
from types import ModuleType
from typing import Any

from objectives.contract import RecipeError
from objectives.files.whole import write_text_whole
from objectives.own.imported import OURS, is_ours, with_imports

MOST_BYTES = 1_000_000  # of code that is stored with a study


@dataclass(frozen=True)
class Reference:
    """A function in a file, "train.py:train", or in a package, "package.module:function".

    folder: of the study file, from which a file is named.
    """

    text: str
    folder: Path

    @property
    def place(self) -> str:
        """The file or the module."""
        return self.text.rpartition(":")[0]

    @property
    def function(self) -> str:
        """The name of the function."""
        return self.text.rpartition(":")[2]

    @property
    def file(self) -> Path | None:
        """The file; None where a module is named."""
        return self.folder / self.place if self.place.endswith(".py") else None

    def load(self) -> Callable[..., Any]:
        """Import the code and return the function; RecipeError, with the place, where that fails.

        Modules beside the file, or beside the study file, can be imported by it.
        """
        module = self._import()
        found: Callable[..., Any] | None = getattr(module, self.function, None)
        if callable(found):
            return found
        functions = [name for name, value in vars(module).items() if _is_own(value, module)]
        known = f"name one of {', '.join(functions)}" if functions else "write it"
        raise RecipeError(f"{self.place} has no function {self.function!r}", known)

    @cached_property
    def root(self) -> Path:
        """The folder of the study file, or the one from which the package is imported.

        Raises RecipeError for a package that is not there; it is not imported to be found.
        """
        if self.file:
            return self.folder.resolve()
        top = self.place.partition(".")[0]
        with _importable([self.folder]):
            spec = find_spec(top)
        places = [*(spec.submodule_search_locations or ()), spec.origin] if spec else []
        if not places or places[0] is None:
            raise RecipeError(f"there is no package {top!r}", f"install {top}")
        return Path(places[0]).resolve().parent

    def files(self) -> dict[str, Path]:
        """Return the files of the imported code by their path from `root`.

        They are the imported modules below the study file's folder, and those that its functions
        import when they are called; or the imported modules of the package.
        """
        top, root = self.place.partition(".")[0], self.root
        paths = _modules(lambda name: self.file is not None or name == top)
        if self.file:  # an environment may lie below the study
            paths = [each for each in paths if "site-packages" not in each.parts]
            paths = [*filterfalse(is_ours, paths), *with_imports(self.file.resolve())]
        return {path.relative_to(root).as_posix(): path for path in paths if root in path.parents}

    def _import(self) -> ModuleType:
        file = self.file
        if file is not None and not file.is_file():
            raise RecipeError(
                f"{file} does not exist", "write it, or correct the path from the study file on"
            )
        if file and file.stem in OURS:
            raise RecipeError(f"{file} has the name of a package of search", "rename the file")
        folders = [file.resolve().parent, self.folder] if file else [self.folder]
        with _importable(folders):
            try:
                module = importlib.import_module(file.stem if file else self.place)
            except (Exception, SystemExit) as error:
                raise self._failure(error) from error
        if file and module.__file__ != str(file.resolve()):
            raise RecipeError(
                f"{file} has the name of a module that Python has loaded, {module.__file__}",
                "rename the file",
            )
        return module

    def _failure(self, error: BaseException) -> RecipeError:
        if isinstance(error, SyntaxError):
            line = f"{error.filename or self.file or self.place}:{error.lineno or 1}"
            return RecipeError(f"{line}: {error.msg}", "mend the line")
        frames = traceback.extract_tb(error.__traceback__)
        own = [each for each in frames if not each.filename.startswith(("<", __file__))]
        theirs = [each for each in own if Path(each.filename).parent == self.folder.resolve()]
        own = theirs or own
        place = f"{own[-1].filename}:{own[-1].lineno}: " if own and self.file else f"{self.place}: "
        if isinstance(error, SystemExit):
            return RecipeError(
                f"{place}the file ends the program when it is imported",
                'call it below `if __name__ == "__main__":`',
            )
        reason = f"{place}{type(error).__name__}: {' '.join(str(error).split())}"
        if isinstance(error, ModuleNotFoundError) and error.name:
            top = error.name.partition(".")[0]
            is_there = top in sys.modules and top != error.name
            fix = f"install {top}, or put {top}.py beside the file"
            return RecipeError(reason, "correct the name" if is_there else fix)
        return RecipeError(reason, "mend the line")


def changed(known: Mapping[str, str], root: Path) -> list[str]:
    """Return the files below a folder that differ from the known digests, or are missing."""
    here = digests({name: root / name for name in known})
    return [name for name, digest in here.items() if digest != known[name]]


def sources(files: Mapping[str, Path]) -> dict[str, str]:
    """Return the text of each file, so that other machines can have the code.

    Returns none where the files are larger than 1 MB together, or one is no text.
    """
    try:
        if sum(path.stat().st_size for path in files.values()) > MOST_BYTES:
            return {}
        read = {name: path.read_bytes().decode() for name, path in sorted(files.items())}
    except (OSError, UnicodeDecodeError):
        return {}
    return {} if any("\0" in text for text in read.values()) else read


def unpack(sources: Mapping[str, str], folder: Path) -> Path:
    """Write the text of each file below a folder, and return the folder.

    Raises RecipeError for a name that leads out of the folder; then none is written.
    """
    root = folder.resolve()
    for name in sources:
        if root not in (root / name).resolve().parents:
            raise RecipeError(f"the code has a file {name!r}, outside its folder", "do not use it")
    for name, text in sources.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text_whole(path, text)
    return folder


def digests(files: Mapping[str, Path]) -> dict[str, str]:
    """Return the SHA-256 of each file; "" for one that is not there."""
    return {name: _digest(path) for name, path in sorted(files.items())}


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


@contextmanager
def _importable(folders: list[Path]) -> Iterator[None]:
    """Put folders first among those of imports, for good: functions import when they are called."""
    for folder in reversed(folders):
        if (path := str(folder.resolve())) not in sys.path:
            sys.path.insert(0, path)
    kept, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    words, sys.argv = sys.argv, sys.argv[:1]  # those of this process are none of the code's
    try:
        yield
    finally:
        sys.dont_write_bytecode, sys.argv = kept, words


def _modules(belongs: Callable[[str], bool]) -> list[Path]:
    """List the source files of the imported modules; `belongs` is asked for a package's name.

    A module without a file of its own may bear a mere name, as torch's `_ops.py`: it is left out.
    """
    files = (
        getattr(module, "__file__", None)
        for name, module in list(sys.modules.items())
        if belongs(name.partition(".")[0])
    )
    sources = {Path(file) for file in files if file and file.endswith(".py")}
    return sorted({path.resolve() for path in sources if path.is_absolute()})


def _is_own(value: object, module: ModuleType) -> bool:
    """Say whether a module defines a function itself, for others to call."""
    name = getattr(value, "__name__", "_")
    is_here = getattr(value, "__module__", None) == module.__name__
    return callable(value) and not isinstance(value, type) and is_here and name[0] != "_"
