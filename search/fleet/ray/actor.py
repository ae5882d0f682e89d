"""The actor of one place: it keeps the place's worker alive for as long as Ray keeps the actor."""

import os
import threading
import time
from contextlib import suppress
from typing import Any

import ray
from ray.exceptions import AuthenticationError, RayError

from search.fleet.ray.duty import NAMESPACE, Duty, Report
from search.fleet.ray.keeper import Keeper
from search.processes.devices import DeviceShare, usable_cores
from search.settings import OF_THE_SUPERVISOR

RAY: Any = ray  # with the functions that ray has not typed
LOOK_SECONDS = 5.0


class KeeperActor:
    """A keeper, and a look at whether the cluster still knows this actor.

    A head that is started anew knows nothing of the actors before it, while they live on: such an
    actor drains its worker and ends, so that no worker is there twice.
    """

    def __init__(self, duty: Duty) -> None:
        self._duty = duty
        base = {name: text for name, text in os.environ.items() if name not in OF_THE_SUPERVISOR}
        self._keeper = Keeper(duty, _share(duty), base, self._end)
        threading.Thread(target=self._watch, name="watch", daemon=True).start()

    def report(self) -> Report:
        """Return the place as it is now."""
        return Report(self._keeper.slot(), self._duty, _node())

    def renew(self, duty: Duty) -> None:
        """Take the duty of a later order; a worker that runs goes on."""
        self._duty = duty
        self._keeper.renew(duty)

    def drain(self) -> None:
        """Let the worker end its epoch and hand its trial back."""
        self._keeper.drain()

    def kill_worker(self) -> None:
        """Kill the worker."""
        self._keeper.kill()

    def _watch(self) -> None:
        while self._is_known():
            time.sleep(LOOK_SECONDS)
        self._keeper.leave()

    def _is_known(self) -> bool:
        try:
            return self._duty.name in ray.util.list_named_actors()
        except AuthenticationError:
            return False
        except (RayError, RuntimeError, TimeoutError):  # the head is away: it may come back
            return True

    def _end(self) -> None:
        """End this actor, and free its GPU."""
        with suppress(ValueError, RayError):
            ray.kill(ray.get_actor(self._duty.name, namespace=NAMESPACE), no_restart=True)
            time.sleep(LOOK_SECONDS)
        os._exit(0)


def _share(duty: Duty) -> DeviceShare:
    """Return the worker's GPU, as Ray gave it to this actor, and its part of the node's cores."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "") if duty.uses_gpu else ""
    threads = max(1, usable_cores() // (_gpus_here() * duty.per_gpu)) if duty.uses_gpu else 1
    return DeviceShare(
        index=1, device="cuda" if visible else "cpu", visible=visible, threads=threads
    )


def _gpus_here() -> int:
    ours = [node for node in RAY.nodes() if node["NodeID"] == _node()]
    found = [node["Resources"].get("GPU", 1) for node in ours]
    return max(1, int(found[0])) if found else 1


def _node() -> str:
    return str(ray.get_runtime_context().get_node_id())
