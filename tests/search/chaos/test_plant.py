"""No environment and no module of a normal worker leads to a planted fault."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from search import parser
from storage import faults
from storage.store import Store
from tests.search.toy_worker import make_worker

# What older versions obeyed, and every name that a careless switch might have.
SWITCHES = [
    *(f"SEARCH_{name}" for name in ("FAULT", "FAULTS", "CHAOS_BREAK", "CHAOS", "BREAK", "GUARD")),
    *(f"SEARCH_{name}" for name in ("ORDERS", "CHAOS_ORDERS", "WITHOUT", "PLANT", "UNFENCED")),
]
LOADED = """
import sys
from search.cli import main
code = main(sys.argv[1:])
print(*sorted(sys.modules), file=sys.stderr)
sys.exit(code)
"""


def work(
    database_url: str, home: Path, program: list[str], environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run one worker of the stored toy study to its end."""
    return subprocess.run(
        [sys.executable, "-P", *program, "worker", "--study", "toy"],
        env={
            **os.environ,
            "SEARCH_HOME": str(home),
            "SEARCH_DATABASE_URL": database_url,
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=240,
    )


def test_the_command_line_offers_every_guard_that_can_be_switched_off() -> None:
    assert set(parser.GUARDS) == set(faults.GUARDS)


@pytest.fixture
def orders(store: Store, tmp_path: Path) -> Path:
    """An order to die at the first claim, beside a toy study with a trial to claim."""
    make_worker(store, tmp_path, trials=1)
    orders = tmp_path / "orders"
    orders.write_text("claim 0 KILL")
    return orders


@pytest.mark.slow
def test_no_variable_makes_a_normal_worker_obey_an_order_drop_a_guard_or_load_a_fault(
    store: Store, database_url: str, tmp_path: Path, orders: Path
) -> None:
    first = work(database_url, tmp_path, ["-c", LOADED], dict.fromkeys(SWITCHES, str(orders)))
    assert first.returncode == 0, first.stderr
    assert "search.worker.loop" in (loaded := first.stderr.split())
    assert not [name for name in loaded if name.startswith(("search.chaos", "storage.faults"))]

    second = work(database_url, tmp_path, ["-m", "search.cli"], dict.fromkeys(SWITCHES, "fence"))
    assert second.returncode == 0, second.stderr

    assert orders.read_text() == "claim 0 KILL"  # nobody took it
    assert [row.reason for row in store.attempts("toy")] == ["finished"]


@pytest.mark.slow
def test_the_planted_worker_obeys_the_order(
    database_url: str, tmp_path: Path, orders: Path
) -> None:
    program = ["-m", "search.chaos.plant", "--orders", str(orders)]

    done = work(database_url, tmp_path, program, {})

    assert done.returncode == -9
    assert not orders.exists()
