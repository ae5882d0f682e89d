"""How far decoding is, told to who reads the log of a worker that does not train yet."""

import logging
import time

log = logging.getLogger(__name__)

EVERY_SECONDS = 10.0


class DecodingLog:
    """Say now and then how much is decoded and how long the rest will take, of long work only."""

    def __init__(self, images: int, image_size: int) -> None:
        self._what = f"{images:,} images at {image_size} px"
        self._images = images
        self._started = self._told = time.monotonic()

    def tell(self, done: int) -> None:
        """Write a line when the last one is ten seconds old, and one at the end of long work."""
        now = time.monotonic()
        taken = now - self._started
        if done == self._images and self._told > self._started:
            log.info("decoded %s in %s", self._what, _clock(taken), extra=self._facts(done))
        elif now - self._told >= EVERY_SECONDS:
            self._told = now
            left = taken / done * (self._images - done)
            line = "decoding %s: %d %%, about %s to go"
            share = 100 * done // self._images
            log.info(line, self._what, share, _clock(left), extra=self._facts(done))

    def _facts(self, done: int) -> dict[str, object]:
        return {"action": "decoding", "done": done, "images": self._images}


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
