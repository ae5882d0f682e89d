"""A real Slurm on this machine: two nodes with two made-up GPUs each, ended with the test."""

import getpass
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from storage.locks import wait_until

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun")
PATH = f"{os.environ['PATH']}:/usr/sbin"
NODES = ("n1", "n2")
GPUS = 2  # of each node
# cred_expire also says how long a requeued task waits: 120 s by default, 5 s at least.
CONFIGURATION = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmUser={user}
SlurmdUser={user}
AuthInfo=socket={folder}/munge,cred_expire=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
GresTypes=gpu
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SlurmdParameters=config_overrides
KillWait=5
MinJobAge=300
SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=0,bf_interval=1
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={n1} CPUs=8 Gres=gpu:{gpus}
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={n2} CPUs=8 Gres=gpu:{gpus}
PartitionName=low Nodes=ALL Default=YES PriorityTier=1 GraceTime=30 MaxTime=INFINITE
PartitionName=high Nodes=ALL PriorityTier=10 PreemptMode=OFF MaxTime=INFINITE
"""


@dataclass(frozen=True)
class Cluster:
    """A running cluster, reached by SLURM_CONF."""

    folder: Path

    @property
    def conf(self) -> str:
        """The file that SLURM_CONF names."""
        return str(self.folder / "slurm.conf")

    def call(self, *words: str) -> str:
        """Run a program of Slurm's and return its output."""
        done = subprocess.run(
            words, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    @property
    def environment(self) -> dict[str, str]:
        """The environment of programs that use this cluster."""
        ours = {"SLURM_CONF": self.conf, "SLURM_TMPDIR": str(self.folder), "PATH": PATH}
        return {**os.environ, **ours}

    def is_empty(self) -> bool:
        """Tell whether nothing runs or waits."""
        return not self.call("squeue", "--noheader")


def missing() -> str:
    """Return why there can be no cluster here, "" where there can."""
    lacking = [name for name in PROGRAMS if not shutil.which(name, path=PATH)]
    return f"needs Debian's slurm-wlm and munge: no {', '.join(lacking)}" if lacking else ""


@contextmanager
def slurm_cluster() -> Iterator[Cluster]:
    """Start munged, slurmctld and two slurmd as this user; none of their processes outlives it."""
    with tempfile.TemporaryDirectory(prefix="slurm-") as folder:
        Path(folder).chmod(0o711)  # munge's rule: every user's way to the socket
        cluster = Cluster(Path(folder))
        _configure(cluster)
        started: list[subprocess.Popen[bytes]] = []
        try:
            for words in _daemons(cluster):
                started.append(_start(cluster, words))
                assert wait_until(lambda: (cluster.folder / "munge").exists(), 30), "no munge"
            ready = " ".join(["idle"] * len(NODES))
            assert wait_until(lambda: _states(cluster) == ready, 30), _states(cluster)
            yield cluster
        finally:
            _leave_nobody(cluster, started)


def _configure(cluster: Cluster) -> None:
    folder, ports = cluster.folder, _free_ports(3)
    for name in ("state", *(f"spool-{node}" for node in NODES)):
        (folder / name).mkdir()
    key = folder / "key"
    key.write_bytes(secrets.token_bytes(1024))
    key.chmod(0o400)
    gres = []
    for node in NODES:
        for gpu in range(GPUS):  # any device file serves; CUDA_VISIBLE_DEVICES counts them
            (folder / f"{node}-gpu{gpu}").symlink_to("/dev/null")
        gres.append(f"NodeName={node} Name=gpu File={folder}/{node}-gpu[0-{GPUS - 1}]")
    (folder / "gres.conf").write_text("\n".join(gres) + "\n")
    words = {"host": socket.gethostname(), "user": getpass.getuser(), "folder": folder}
    named = dict(zip(("controller", *NODES), ports, strict=True))
    Path(cluster.conf).write_text(CONFIGURATION.format(**words, **named, gpus=GPUS))


def _daemons(cluster: Cluster) -> Iterator[Sequence[str]]:
    files = {"socket": "munge", "key-file": "key"}
    files |= {f"{name}-file": f"munge.{name}" for name in ("pid", "log", "seed")}
    where = [f"--{option}={cluster.folder}/{name}" for option, name in files.items()]
    yield ["munged", "--foreground", "--force", *where]
    yield ["slurmctld", "-D"]
    for node in NODES:
        yield ["slurmd", "-D", "-N", node]


def _start(cluster: Cluster, words: Sequence[str]) -> subprocess.Popen[bytes]:
    program = shutil.which(words[0], path=PATH) or words[0]
    with (cluster.folder / "daemons.log").open("ab") as log:
        return subprocess.Popen(
            [program, *words[1:]], env=cluster.environment, stdout=log, stderr=log
        )


def _states(cluster: Cluster) -> str:
    words = ["sinfo", "--noheader", "--Node", "--partition=low", "--format=%T"]
    done = subprocess.run(
        words, env=cluster.environment, capture_output=True, text=True, check=False
    )
    return " ".join(done.stdout.split())


def _leave_nobody(cluster: Cluster, started: Sequence[subprocess.Popen[bytes]]) -> None:
    with suppress(AssertionError):  # a controller that never came up
        cluster.call("scancel", "--signal=KILL", f"--user={getpass.getuser()}")
        wait_until(cluster.is_empty, 10)
    for daemon in started[::-1]:
        daemon.kill()
        daemon.wait()
    assert wait_until(lambda: not _kill(_of(cluster)), 30)


def _kill(processes: Sequence[psutil.Process]) -> Sequence[psutil.Process]:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    return processes


def _of(cluster: Cluster) -> list[psutil.Process]:
    """Return the scripts and workers, which have the cluster's file in the environment, and steps.

    A slurmstepd writes its title over its environment.
    """
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            parent = process.parent()
            if process.environ().get("SLURM_CONF") == cluster.conf and process.pid != os.getpid():
                found += [process, *([parent] if parent and parent.name() == "slurmstepd" else [])]
    return found


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()
