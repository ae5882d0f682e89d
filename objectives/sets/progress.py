"""How far decoding is, told in the log of a worker that does not train yet, and to who asks."""

import logging
import time
from contextlib import suppress
from pathlib import Path

log = logging.getLogger(__name__)

EVERY_SECONDS = 10.0
_NOTE = "decoding.txt"  # in the cache folder, where the supervisor of the workers looks


class DecodingLog:
    """Say now and then how much is decoded and how long the rest will take, of long work only."""

    def __init__(self, images: int, image_size: int, cache: Path | None = None) -> None:
        self._what = f"{images:,} images at {image_size} px"
        self._note = cache / _NOTE if cache else None
        self._images = images
        self._started = self._told = time.monotonic()

    def tell(self, done: int) -> None:
        """Write a line when the last one is ten seconds old, and one at the end of long work."""
        now = time.monotonic()
        taken = now - self._started
        if done == self._images and self._told > self._started:
            log.info("decoded %s in %s", self._what, _clock(taken), extra=self._facts(done))
            self._leave_note("")
        elif now - self._told >= EVERY_SECONDS:
            self._told = now
            left = taken / done * (self._images - done)
            share = f"{100 * done // self._images} %, about {_clock(left)} to go"
            log.info("decoding %s: %s", self._what, share, extra=self._facts(done))
            self._leave_note(f"decoding {self._what}, once for all trials: {share}")

    def _leave_note(self, text: str) -> None:
        # A full disk, or a cache folder that is gone meanwhile: nobody decodes again for a note.
        with suppress(OSError):
            if self._note and text:
                self._note.write_text(text)
            elif self._note:
                self._note.unlink(missing_ok=True)

    def _facts(self, done: int) -> dict[str, object]:
        return {"action": "decoding", "done": done, "images": self._images}


def decoding_note(cache: Path) -> str:
    """Say how far a worker of this machine is with decoding into this folder; "" when none is."""
    note = cache / _NOTE
    try:
        is_fresh = time.time() - note.stat().st_mtime < 3 * EVERY_SECONDS  # else its writer died
        return note.read_text() if is_fresh else ""
    except (OSError, ValueError):  # there is none, or none that can be read
        return ""


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
