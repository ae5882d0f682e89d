"""Where the pages read: the store, the kept files, and this home's logs."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from dashboards.door.threads import CuttableThreads
from storage.reader import StoreReader
from storage.store import Store

THREADS = 6  # more than the connections that they share: some only fill templates in

P = ParamSpec("P")
T = TypeVar("T")


class Source:
    """The store, the kept files and the logs, read in threads of the pages' own.

    artifacts: the location of the artifact store, see `storage.artifacts.artifact_store`.
    logs: the folder with a folder of logs for each study.
    open_store: opens a store that may write, for one change.
    """

    def __init__(
        self,
        store: StoreReader,
        artifacts: str,
        logs: Path,
        open_store: Callable[[], AbstractContextManager[Store]],
    ) -> None:
        self.store, self.artifacts, self.logs = store, artifacts, logs
        self._open_store = open_store
        self._threads = CuttableThreads(THREADS)
        # A thread keeps a study's arrays: those of all studies stay in one.
        self._arrays = CuttableThreads(1)
        self._reports = CuttableThreads(1)
        self._writing: dict[str, Future[Any]] = {}

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function that reads, without holding up the other visitors."""
        return await asyncio.wrap_future(self._threads.submit(function, *args, **kwargs))

    async def report(
        self, name: str, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Call a function that takes seconds: no page waits for it, nor for those who ask again.

        name: whoever asks under the same name meanwhile gets the same answer.
        """
        future = self._writing.get(name)
        if future is None:
            future = self._writing[name] = self._reports.submit(function, *args, **kwargs)
            future.add_done_callback(lambda _: self._writing.pop(name))
        shared: T = await asyncio.shield(asyncio.wrap_future(future))
        return shared

    async def write(self, change: Callable[..., T], *args: Any) -> T:
        """Call a function that changes something, with a store as its last argument."""

        def changing() -> T:
            with self._open_store() as store:
                return change(*args, store)

        return await self.run(changing)

    def with_arrays(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function that reads a study's arrays, in the one thread that keeps them."""
        return self._arrays.submit(function, *args, **kwargs).result()
