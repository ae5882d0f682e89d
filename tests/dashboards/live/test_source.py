"""Where the pages read, and who waits for whom."""

import asyncio
import threading
from contextlib import nullcontext
from pathlib import Path

from dashboards.live.source import Source
from storage.store import Store


def test_no_page_waits_for_reports_and_one_is_written_for_all_who_ask(
    store: Store, home: Path
) -> None:
    source = Source(store, str(home / "artifacts"), home / "logs", lambda: nullcontext(store))
    page_is_read, calls = threading.Event(), list[str]()

    def report(name: str) -> str:
        calls.append(name)
        assert page_is_read.wait(30)
        return f"the report of {name}"

    async def ask() -> list[str]:
        asked = [source.report("toy", report, "toy") for _ in range(20)]
        reports = asyncio.gather(*asked, source.report("other", report, "other"))
        await asyncio.sleep(0)
        await source.run(store.study, "toy")
        page_is_read.set()
        return list(await reports)

    assert asyncio.run(ask()) == ["the report of toy"] * 20 + ["the report of other"]
    assert calls == ["toy", "other"]
