"""The images of a study in a file of JSON lines, for scripts in any language."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from objectives.contract import Attempt, DataError, DataSource, Row
from objectives.files.whole import write_whole

ROWS = "rows.jsonl"


@dataclass
class RowsFile:
    """Writes the file once for all trials of a worker: 56,000 images are 14 MB."""

    _data: DataSource | None = field(default=None, init=False)
    _path: Path | None = field(default=None, init=False)

    def facts(self, attempt: Attempt) -> dict[str, str | None]:
        """Return the path of the file as `rows`, or None and the reason as `no_rows`.

        It has the images of every split that the attempt may open, in the order of the manifest.
        """
        if self._data is attempt.data and self._path and self._path.is_file():
            return {"rows": str(self._path)}
        try:
            lines = _lines(attempt)
        except DataError as error:
            return {"rows": None, "no_rows": str(error)}
        path = attempt.folder.resolve() / ROWS
        if attempt.cache:
            path = attempt.cache.resolve() / "rows" / f"{sha256(lines.encode()).hexdigest()}.jsonl"
            self._data, self._path = attempt.data, path
        if not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, lambda partial: partial.write_text(lines), attempt.progress)
        return {"rows": str(path)}


def _lines(attempt: Attempt) -> str:
    rows = [row for split in attempt.splits for row in attempt.rows(split)]
    rows.sort(key=lambda row: str(row.path))
    return "".join(json.dumps(_plain(row)) + "\n" for row in rows)


def _plain(row: Row) -> Mapping[str, Any]:
    return {**vars(row), "path": str(row.path)}
