"""Connecting to a Ray cluster, or starting one on this machine, without noise or telemetry."""

from __future__ import annotations

import logging
import math
import os
import re
from dataclasses import dataclass
from typing import Any

from handan.traces.errors import EngineError

# Requests and answers are text: Ray's default, a third of the machine's memory, is not needed.
_OBJECT_STORE_BYTES = 256 * 2**20
_NAMED = re.compile(r"[\w.]*(Error|Exception|Exit)\b: ")


@dataclass(frozen=True)
class Cluster:
    """A connection to a cluster.

    Attributes
    ----------
    address : str
        ``local`` for one started here, ``given`` for one that the user's program had
        connected to, or the address.
    ours : bool
        Whether leaving it is our duty.
    resources : dict
        What the cluster has at the moment, by Ray's names (``CPU``, ``GPU``...).
    nodes : int
        Machines alive.
    logs : str
        Folder in which each machine of the cluster has Ray's log files, unless it was told otherwise.
    """

    address: str
    ours: bool
    resources: dict[str, float]
    nodes: int
    logs: str


def connect(address: str | None, cpus: float) -> Cluster:
    """Use the cluster that is there, or start one on this machine.

    In this order: the connection that the program has already; `address`; the environment
    variable ``RAY_ADDRESS``; a new cluster on this machine.

    Parameters
    ----------
    address : str, optional
        ``auto`` for the cluster that this machine belongs to, ``HOST:PORT``, or ``ray://HOST:PORT``.
    cpus : float
        Logical CPUs that a new cluster must offer. They are a count for the scheduler and
        may exceed what the machine has: with too few, Ray would wait for ever.

    Raises
    ------
    EngineError
        When Ray is not installed, or the cluster can't be reached or started.
    """
    try:
        import ray
        import ray.data
    except ImportError:
        raise EngineError("the ray engine needs Ray: pip install 'handan[scale]'") from None
    if ray.is_initialized():
        return _describe("given", ours=False)
    address = address or os.environ.get("RAY_ADDRESS") or "local"
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, **_own(address, cpus))
    except Exception as error:
        what = "started on this machine" if address == "local" else f"reached at {address}"
        raise EngineError(f"no Ray cluster could be {what}: {type(error).__name__}: {error}") from error
    for handler in logging.getLogger("ray.data").handlers:
        # Its log file keeps everything; the terminal is for the progress of the run.
        if type(handler).__name__ != "SessionFileHandler":
            handler.setLevel(logging.ERROR)
    return _describe(address, ours=True)


def disconnect(cluster: Cluster) -> None:
    """Leave a cluster that we connected to, and stop it if we started it."""
    if cluster.ours:
        import ray

        ray.shutdown()


def last_line(error: BaseException) -> str:
    """Return the line of an error that says what was wrong; Ray buries it in traces of several processes."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    named = [line for line in lines if _NAMED.match(line) and not line.startswith("ray.")]
    return (named or lines or [type(error).__name__])[-1]


def _own(address: str, cpus: float) -> dict[str, Any]:
    if address != "local":
        return {}
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    return {
        "num_cpus": max(os.cpu_count() or 1, math.ceil(cpus)),
        "include_dashboard": False,
        "object_store_memory": _OBJECT_STORE_BYTES,
    }


def _describe(address: str, *, ours: bool) -> Cluster:
    import ray

    resources = {name: float(amount) for name, amount in ray.cluster_resources().items() if ":" not in name}
    nodes = sum(node["Alive"] for node in ray.nodes())
    logs = f"/tmp/ray/{ray.get_runtime_context().get_session_name()}/logs"
    return Cluster(address, ours, resources, nodes, logs)
