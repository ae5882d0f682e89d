"""The progress of decoding, in the decoding worker's log and in a note for other processes."""

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

log = logging.getLogger(__name__)

EVERY_SECONDS = 10.0
_NOTE = "decoding.txt"  # in the cache folder, where the supervisor of the workers looks


class DecodingLog:
    """Log from time to time how many images are decoded and how long the rest will take.

    Work that is done within ten seconds is not mentioned.
    """

    def __init__(
        self,
        images: int,
        image_size: int,
        cache: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin to count.

        cache: the folder for the note; None leaves none.
        clock: returns the seconds since some moment.
        """
        self._work = f"{images:,} images at {image_size} px"
        self._note = cache / _NOTE if cache else None
        self._images, self._clock = images, clock
        self._started = self._told = clock()

    def tell(self, done: int) -> None:
        """Log a line if the last one is ten seconds old, and one when long work is done."""
        now = self._clock()
        taken = now - self._started
        if done == self._images and self._told > self._started:
            log.info("decoded %s in %s", self._work, _minutes(taken), extra=self._facts(done))
            self._leave_note("")
        elif now - self._told >= EVERY_SECONDS:
            self._told = now
            left = taken / done * (self._images - done)
            share = f"{100 * done // self._images} %, about {_minutes(left)} to go"
            log.info("decoding %s: %s", self._work, share, extra=self._facts(done))
            self._leave_note(f"decoding {self._work}, once for all trials: {share}")

    def _leave_note(self, text: str) -> None:
        # A full disk or a cache folder that was deleted must not stop the decoding.
        with suppress(OSError):
            if self._note and text:
                self._note.write_text(text)
            elif self._note:
                self._note.unlink(missing_ok=True)

    def _facts(self, done: int) -> dict[str, object]:
        return {"action": "decoding", "done": done, "images": self._images}


def decoding_note(cache: Path) -> str:
    """Read the progress of a worker that decodes into this folder; "" when none does."""
    note = cache / _NOTE
    try:
        is_fresh = (
            time.time() - note.stat().st_mtime < 3 * EVERY_SECONDS
        )  # otherwise its writer has died
        return note.read_text() if is_fresh else ""
    except (OSError, ValueError):  # missing or unreadable
        return ""


def _minutes(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
