"""A fleet on Ray: nodes with two made-up GPUs each, real workers, and real kills."""

import psutil
import pytest

from benchmarks.fleet.lost_node import LOST, lose_a_node
from storage.locks import wait_until
from tests.search.fleet.conftest import LEASE_SECONDS, PASSWORD, PATIENCE_SECONDS

pytestmark = pytest.mark.slow


def test_each_worker_has_a_gpu_and_comes_back_until_the_fleet_is_down_without_a_trace(desk):
    assert desk.up() == 0
    places = {place["name"]: place for place in desk.wait_for_trials(4)}
    assert sorted(place["gpu"] for place in places.values()) == ["0", "0", "1", "1"]
    kill_its_actor(desk, places["2"])
    kill_it(desk, places["3"])
    assert_no_secret_is_seen_outside_its_file(desk)
    add_and_take_away(desk, places["1"]["pid"])

    assert desk.down() == 0
    assert desk.pids() == []
    victims = {places[name]["pid"] for name in ("2", "3")}  # whose leases end by themselves
    workers = {row.worker for row in desk.store.workers("toy") if row.pid not in victims}
    attempts = [each for each in desk.store.attempts("toy") if each.worker in workers]
    assert "drained" in {each.reason for each in attempts}
    assert {each.reason for each in attempts} <= {"drained", "finished"}
    assert all(each.ended_at for each in attempts)


def kill_its_actor(desk, victim):
    process = psutil.Process(victim["pid"])

    process.parent().kill()

    assert wait_until(lambda: not is_alive(process), 5)
    again = {place["name"]: place for place in desk.wait_for_trials(4)}[victim["name"]]
    assert (again["gpu"], again["state"]) == (victim["gpu"], "up")
    assert again["pid"] != victim["pid"]


def kill_it(desk, victim):
    psutil.Process(victim["pid"]).kill()
    assert wait_until(lambda: victim["pid"] not in desk.pids(), PATIENCE_SECONDS)

    again = {place["name"]: place for place in desk.wait_for_trials(4)}[victim["name"]]
    assert (again["state"], again["restarts"], again["reason"]) == ("up", 1, "SIGKILL")


def assert_no_secret_is_seen_outside_its_file(desk):
    kept = [path.read_bytes() for path in desk.nodes.folder.rglob("*") if path.is_file()]
    typed = [words_of(process) for process in psutil.process_iter()]
    assert any(b"KeeperActor" in content for content in kept)  # Ray's logs are among them
    assert not any(PASSWORD.encode() in content for content in kept)
    assert any("--reason-file" in words for words in typed)
    assert not any(PASSWORD in word for words in typed for word in words)


def add_and_take_away(desk, first):
    """Ask for more workers than there are GPUs, then for fewer; the first goes on."""
    desk.said()
    desk.up("--workers", "5")
    out, err = desk.said()
    assert "4 of 5 workers have started" in err
    assert "queued" in out
    assert first in desk.pids()

    desk.up("--workers", "2")
    assert [place["name"] for place in desk.wait_for_trials(2)] == ["1", "2"]
    assert first in desk.pids()


def test_a_lost_node_costs_an_epoch_at_most_and_a_new_head_has_no_worker_twice(desk):
    third = desk.nodes.add(LOST)
    desk.up("--workers", "6")
    desk.wait_for_trials(6)

    moved = lose_a_node(desk.nodes, third, desk.store)

    assert len(moved) == 2
    assert max(each.seconds for each in moved) < LEASE_SECONDS + 10
    assert max(each.again for each in moved) <= 1
    states = [place["state"] for place in desk.status()]
    assert sorted(states) == ["queued", "queued", "up", "up", "up", "up"]
    lose_the_head(desk)


def lose_the_head(desk):
    """Start a new head in the place of one that is lost, and ask it for two workers."""
    before, port = set(desk.pids()), int(desk.nodes.address.rpartition(":")[2])
    assert len(before) == 4

    desk.nodes.lose(desk.nodes.cluster.head_node)
    desk.nodes.start(port)
    try:
        desk.up("--workers", "2")

        assert wait_until(lambda: len(desk.pids()) == 2, PATIENCE_SECONDS)
        assert not before & set(desk.pids())
        desk.wait_for_trials(2)
    finally:
        desk.nodes.add("second")  # the nodes are as they were before


def is_alive(process):
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def words_of(process):
    try:
        return process.cmdline()
    except psutil.Error:
        return []
