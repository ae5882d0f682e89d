"""The images of a study in a file of JSON lines, for scripts in any language."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from objectives.contract import Attempt, DataError, DataSource, Row
from objectives.files.disk import when_there_is_room

ROWS = "rows.jsonl"


@dataclass
class RowsFile:
    """Writes the file for each attempt of a worker.

    Its text is made once: 10 MB for 56,000 images, which takes about a second.
    """

    _data: DataSource | None = field(default=None, init=False)
    _text: str = field(default="", init=False)

    def write(self, attempt: Attempt) -> dict[str, str | None]:
        """Return the path of the file as `rows`, or None and the reason as `no_rows`.

        It has the images of every split that the attempt may open, in the order of the manifest.
        """
        path = attempt.folder.resolve() / ROWS
        try:
            text = self._lines(attempt)
        except DataError as error:
            return {"rows": None, "no_rows": str(error)}
        when_there_is_room(lambda: path.write_text(text), path.parent, attempt.progress)
        return {"rows": str(path)}

    def _lines(self, attempt: Attempt) -> str:
        if self._data is not attempt.data:
            rows = [row for split in attempt.splits for row in attempt.rows(split)]
            rows.sort(key=lambda row: str(row.path))
            text = "".join(json.dumps(_plain(row)) + "\n" for row in rows)
            self._data, self._text = attempt.data, text
        return self._text


def _plain(row: Row) -> Mapping[str, Any]:
    return {**vars(row), "path": str(row.path)}
