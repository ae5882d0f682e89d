"""A fleet on Ray: nodes with two made-up GPUs each, real workers, and real kills."""

import psutil
import pytest

from benchmarks.fleet.lost_node import LOST, lose_a_node
from storage.locks import wait_until
from tests.search.fleet.conftest import LEASE_SECONDS, PASSWORD, PATIENCE_SECONDS

pytestmark = pytest.mark.slow


def test_each_worker_has_a_gpu_of_its_own_and_a_killed_actor_comes_back_on_it(desk):
    assert desk.up() == 0
    before = {place["name"]: place for place in desk.wait_for_trials(4)}
    assert sorted(place["gpu"] for place in before.values()) == ["0", "0", "1", "1"]
    victim = before["2"]
    process = psutil.Process(victim["pid"])

    process.parent().kill()

    assert wait_until(lambda: not is_alive(process), 5)
    again = {place["name"]: place for place in desk.wait_for_trials(4)}["2"]
    assert (again["gpu"], again["state"]) == (victim["gpu"], "up")
    assert again["pid"] != victim["pid"]


def test_a_killed_worker_is_started_again_and_no_secret_is_seen_outside_its_file(desk):
    desk.up("--workers", "1")
    (place,) = desk.wait_for_trials(1)
    psutil.Process(place["pid"]).kill()
    assert wait_until(lambda: place["pid"] not in desk.pids(), PATIENCE_SECONDS)
    (again,) = desk.wait_for_trials(1)

    assert (again["state"], again["restarts"], again["reason"]) == ("up", 1, "SIGKILL")
    kept = [path.read_bytes() for path in desk.nodes.folder.rglob("*") if path.is_file()]
    typed = [words_of(process) for process in psutil.process_iter()]
    assert any(b"KeeperActor" in content for content in kept)  # Ray's logs are among them
    assert not any(PASSWORD.encode() in content for content in kept)
    assert any("--reason-file" in words for words in typed)
    assert not any(PASSWORD in word for words in typed for word in words)


def test_a_fleet_has_more_or_fewer_workers_on_request_and_is_down_without_a_trace(desk):
    desk.up("--workers", "1")
    (first,) = desk.wait_for_trials(1)

    desk.up("--workers", "5")
    out, err = desk.said()
    assert "4 of 5 workers have started" in err
    assert "queued" in out
    assert first["pid"] in desk.pids()  # it went on

    desk.up("--workers", "2")
    assert [place["name"] for place in desk.wait_for_trials(2)] == ["1", "2"]
    assert first["pid"] in desk.pids()

    assert desk.down() == 0
    assert desk.pids() == []
    attempts = desk.store.attempts("toy")
    assert {each.reason for each in attempts} <= {"drained", "finished"}
    assert all(each.ended_at for each in attempts)


def test_trials_of_a_lost_node_run_elsewhere_soon_and_repeat_at_most_an_epoch(desk):
    third = desk.nodes.add(LOST)
    desk.up("--workers", "6")
    desk.wait_for_trials(6)

    moved = lose_a_node(desk.nodes, third, desk.store)

    assert len(moved) == 2
    assert max(each.seconds for each in moved) < LEASE_SECONDS + 10
    assert max(each.again for each in moved) <= 1
    states = [place["state"] for place in desk.status()]
    assert sorted(states) == ["queued", "queued", "up", "up", "up", "up"]


def test_after_a_new_head_no_worker_is_there_twice(desk_of_its_own):
    desk = desk_of_its_own
    desk.up()
    desk.wait_for_trials(4)
    before, port = set(desk.pids()), int(desk.nodes.address.rpartition(":")[2])

    desk.nodes.lose(desk.nodes.cluster.head_node)
    desk.nodes.start(port)
    desk.up("--workers", "2")

    assert wait_until(lambda: len(desk.pids()) == 2, PATIENCE_SECONDS)
    assert not before & set(desk.pids())
    desk.wait_for_trials(2)


def is_alive(process):
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def words_of(process):
    try:
        return process.cmdline()
    except psutil.Error:
        return []
