"""One thread per page that somebody looks at: it reads the study, and all its viewers share that.

A viewer asks for the panels that have changed since a version. So nothing waits for a slow viewer,
and one that was away for long gets what is new, not all that happened meanwhile.
"""

import json
import logging
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, TypeVar

from markupsafe import Markup

from dashboards.live.view import View

log = logging.getLogger(__name__)

EVERY_SECONDS = 2.0
IDLE_SECONDS = 20.0  # a page that is loaded again finds its study read
PATIENCE_SECONDS = 4.0
MOST_VIEWS = 64  # of one page at a time; each is filled in at every reading
NUMBER = re.compile(r"[0-9]{1,12}")

T = TypeVar("T")
W = TypeVar("W", bound="Watch[Any]")
Tell = Callable[[], object]


@dataclass(frozen=True)
class Changes:
    """The panels that have changed since a version, and the version that they make."""

    version: str
    panels: Mapping[str, Markup]

    @cached_property
    def as_json(self) -> str:
        """The same as JSON, written once for all viewers."""
        given = {"version": self.version, "panels": self.panels}
        return json.dumps(given, ensure_ascii=False)


@dataclass(kw_only=True)
class _Channel(Generic[T]):
    """The panels of one view, each with the number of the reading that changed it.

    drawn: the reading that they show.
    answer: the last one, with the number of the reading that it was asked for.
    """

    panels: dict[str, tuple[Markup, int]] = field(default_factory=dict)
    seen_at: float = 0.0
    drawn: T | None = None
    answer: tuple[int, Changes] | None = None

    def take(self, drawn: T, new: Mapping[str, Markup], number: int) -> None:
        """Keep the panels that differ."""
        self.drawn, self.answer = drawn, None
        for name, html in new.items():
            if name not in self.panels or self.panels[name][0] != html:
                self.panels[name] = html, number

    def since(self, seen: int, version: str) -> Changes:
        """Return what has changed since a reading; the same answer to all who ask for the same."""
        if self.answer is None or self.answer[0] != seen:
            changed = {name: html for name, (html, at) in self.panels.items() if at > seen}
            self.answer = seen, Changes(version, changed)
        return self.answer[1]


class Watch(Generic[T]):
    """The readings of one page, from the first question on until nobody asks any more.

    name: of the thread.
    read: reads what the page shows.
    draw: fills in the panels of a view; returns their HTML by name. It may leave out those that
        cannot differ from the ones of an earlier reading, its last argument.
    """

    def __init__(
        self,
        name: str,
        read: Callable[[], T],
        draw: Callable[[T, View, T | None], Mapping[str, Markup]],
    ) -> None:
        self._read_now, self._draw = read, draw
        self._instance = secrets.token_hex(4)  # a version of another process says nothing here
        self._newest: T | None = None
        self._error: Exception | None = None
        self._number = 0
        self._channels: dict[View, _Channel[T]] = {}
        self._listeners: set[Tell] = set()
        self._lock = threading.RLock()
        self._has_read, self._is_wanted = threading.Event(), threading.Event()
        self._news = threading.Condition(self._lock)
        self._asked_at = time.monotonic()
        self.is_over = False
        threading.Thread(target=self._run, name=f"watch {name}", daemon=True).start()

    def newest(self) -> T:
        """Return the newest reading; wait for the first. Raises the error that it ended with."""
        self._asked_at = time.monotonic()
        self._has_read.wait()
        if self._newest is None:
            raise self._error or RuntimeError("nothing was read")
        return self._newest

    def changes(self, view: View, version: str = "") -> Changes:
        """Return the panels of a view that have changed since a version; all for an unknown one."""
        newest = self.newest()
        with self._lock:
            channel = self._channel(view, newest)
            return channel.since(self._number_of(version), f"{self._instance}.{self._number}")

    def again(self) -> None:
        """Read at once, and return when that is done; after some seconds in any case."""
        with self._news:
            number = self._number
            self._is_wanted.set()
            self._news.wait_for(lambda: self._number > number or self.is_over, PATIENCE_SECONDS)

    @contextmanager
    def listening(self, tell: Tell) -> Iterator[None]:
        """Call `tell` after every reading, from the thread that reads."""
        with self._lock:
            self._listeners.add(tell)
        try:
            yield
        finally:
            with self._lock:
                self._listeners.discard(tell)
                self._asked_at = time.monotonic()

    def _channel(self, view: View, newest: T) -> _Channel[T]:
        if view not in self._channels:
            if len(self._channels) >= MOST_VIEWS:
                del self._channels[min(self._channels, key=lambda v: self._channels[v].seen_at)]
            channel = self._channels[view] = _Channel()
            self._draw_again(channel, view, newest)
        self._channels[view].seen_at = time.monotonic()
        return self._channels[view]

    def _draw_again(self, channel: _Channel[T], view: View, newest: T) -> None:
        channel.take(newest, self._draw(newest, view, channel.drawn), self._number)

    def _number_of(self, version: str) -> int:
        instance, _, number = version.partition(".")
        is_ours = instance == self._instance and NUMBER.fullmatch(number)
        return int(number) if is_ours else -1

    def _run(self) -> None:
        while True:
            started = time.monotonic()
            self._is_wanted.clear()
            self._read()
            self._has_read.set()
            self._tell()
            if self.is_over:
                return
            spent = time.monotonic() - started
            self._is_wanted.wait(max(EVERY_SECONDS - spent, spent))  # half of the time at most

    def _read(self) -> None:
        try:
            self._take(self._read_now())
        except Exception as error:  # noqa: BLE001 - whoever asks gets it
            log.debug("a page cannot be read: %s", error)
            with self._news:
                self._error, self._newest, self.is_over = error, None, True
                self._news.notify_all()

    def _take(self, newest: T) -> None:
        with self._lock:
            self._newest, self._number = newest, self._number + 1
            for view, channel in list(self._channels.items()):
                if time.monotonic() - channel.seen_at < IDLE_SECONDS:
                    self._draw_again(channel, view, newest)
                else:
                    del self._channels[view]
            self._news.notify_all()

    def _tell(self) -> None:
        with self._lock:
            listeners = list(self._listeners)
            is_idle = not listeners and time.monotonic() - self._asked_at > IDLE_SECONDS
            self.is_over = self.is_over or is_idle
        for tell in listeners:
            tell()


class Watches(Generic[W]):
    """The pages that are looked at, one watch each."""

    def __init__(self, begin: Callable[[str], W]) -> None:
        self._begin = begin
        self._watches: dict[str, W] = {}
        self._lock = threading.Lock()

    def of(self, name: str) -> W:
        """Return the watch of that name; a new one where nobody looked until now."""
        with self._lock:
            self._watches = {k: each for k, each in self._watches.items() if not each.is_over}
            if name not in self._watches:
                self._watches[name] = self._begin(name)
            return self._watches[name]
