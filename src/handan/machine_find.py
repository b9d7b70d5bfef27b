"""Probes of the machine that we run on; whatever can't be found out is None, and nothing is raised."""

from __future__ import annotations

import math
import os
import platform as system
import shutil
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from handan import installed

PACKAGES = ("handan", "torch", "transformers", "numpy", "pandas", "scipy")
# Kaggle's image is made from Colab's and keeps some of its marks, so Kaggle is asked first.
_MARKS = {
    "kaggle": ("KAGGLE_KERNEL_RUN_TYPE", "KAGGLE_URL_BASE"),
    "colab": ("COLAB_RELEASE_TAG", "COLAB_BACKEND_VERSION", "COLAB_GPU"),
    "binder": ("BINDER_LAUNCH_HOST", "BINDER_REF_URL", "BINDER_REPO_URL"),
}
_FOLDERS = {"kaggle": "kaggle/working", "colab": "content/sample_data"}


def platform(env: Mapping[str, str], root: Path) -> str:
    """Name the service that a notebook runs on.

    Parameters
    ----------
    env : mapping of str to str
        Environment variables.
    root : Path
        Root of the file system.

    Returns
    -------
    str
        ``colab``, ``kaggle``, ``binder`` or ``local``.
    """
    for name, marks in _MARKS.items():
        if any(env.get(mark) for mark in marks):
            return name
    # A kernel that was started by another program need not have the variables.
    for name, folder in _FOLDERS.items():
        if (root / folder).is_dir():
            return name
    return "local"


def cores(root: Path) -> int | None:
    """Count the processors that this process may use: by affinity, and by the container's quota."""
    try:
        allowed: int | None = len(os.sched_getaffinity(0))
    except AttributeError:  # macOS and Windows
        allowed = os.cpu_count()
    limit = _quota(root)
    if allowed is None or limit is None:
        return allowed
    return max(1, min(allowed, math.ceil(limit)))


def memory(root: Path) -> float | None:
    """Bytes of memory: those of the machine, or the container's limit where that is lower."""
    places = ("sys/fs/cgroup/memory.max", "sys/fs/cgroup/memory/memory.limit_in_bytes")
    known = [value for place in places if (value := _number(root / place)) is not None]
    with suppress(AttributeError, OSError, ValueError):  # Windows has none of this
        known.append(float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")))
    return min(known, default=None)


def free_disk(folder: Path) -> float | None:
    """Bytes that are free where a folder is, or will be."""
    try:
        there = next(path for path in (folder, *folder.resolve().parents) if path.exists())
        return float(shutil.disk_usage(there).free)
    except (OSError, StopIteration):
        return None


def versions() -> dict[str, str]:
    """Versions of the packages that matter, as far as they are installed; none is imported."""
    return installed.versions(PACKAGES)


def has_driver() -> bool:
    """Whether NVIDIA's driver reports a GPU, torch or not."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return False
    try:
        done = subprocess.run([program, "-L"], capture_output=True, timeout=20, check=False)
    except (OSError, subprocess.SubprocessError):
        return False
    # Colab has the program on machines without a GPU too; there it fails.
    return done.returncode == 0 and b"GPU" in done.stdout


def is_apple() -> bool:
    """Whether this is a Mac with a processor of Apple's own, which has a GPU."""
    return system.system() == "Darwin" and system.machine() == "arm64"


def graphics() -> dict[str, Any]:
    """Ask torch for GPUs and for the number format that a model would be loaded in.

    Returns
    -------
    dict
        ``device, gpu, gpus, gpu_memory, capability, dtype, reason``; those that can't be
        known are absent.
    """
    try:
        import torch

        from handan.traces.device import resolve_device, resolve_dtype
    except ImportError:
        return {"reason": "torch is not installed, so no model can be loaded here"}
    except Exception as error:  # broken libraries must not stop a chapter that needs no model
        return {"reason": f"torch is installed and can't be imported ({type(error).__name__}: {error})"}
    try:
        device = resolve_device()
        dtype, reason = resolve_dtype(device)
        return {"device": device, "dtype": dtype, "reason": reason, **_cards(torch, device)}
    except Exception as error:
        return {"reason": f"torch can't say what this machine has ({type(error).__name__}: {error})"}


def _cards(torch: Any, device: str) -> dict[str, Any]:
    if device == "mps":
        ask = getattr(torch.mps, "recommended_max_memory", None)
        return {"gpu": "Apple GPU", "gpus": 1, "gpu_memory": float(ask()) if ask else None}
    if device != "cuda":
        return {"gpus": 0}
    count = torch.cuda.device_count()
    # The smallest decides what a model may need, wherever it is put.
    sizes = [torch.cuda.get_device_properties(number).total_memory for number in range(count)]
    return {
        "gpu": torch.cuda.get_device_name(0),
        "gpus": count,
        "gpu_memory": float(min(sizes)),
        "capability": tuple(torch.cuda.get_device_capability(0)),
    }


def _quota(root: Path) -> float | None:
    """Processors that a container may keep busy, by either version of Linux's control groups."""
    try:
        limit, period = (root / "sys/fs/cgroup/cpu.max").read_text().split()
        return None if limit == "max" else float(limit) / float(period)
    except (OSError, ValueError):
        pass
    limit_us = _number(root / "sys/fs/cgroup/cpu/cpu.cfs_quota_us")
    period_us = _number(root / "sys/fs/cgroup/cpu/cpu.cfs_period_us")
    return limit_us / period_us if limit_us and period_us and limit_us > 0 else None


def _number(path: Path) -> float | None:
    try:
        return float(path.read_text())
    except (OSError, ValueError):  # absent, or the word "max"
        return None
