"""On what, and with which versions, a run was made. Never who made it: no names, no environment."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from handan import installed

PACKAGES = (
    "handan", "torch", "transformers", "tokenizers", "accelerate", "vllm", "ray", "openai", "bitsandbytes",
    "flash-attn", "numpy", "pandas", "pyarrow",
)  # fmt: skip
_SECRET_NAME = re.compile(
    r"api[_-]?key|secret|passw|credential|authorization|bearer"
    r"|(^|[_-])(auth|access|hf|hub|api)?[_-]?token$", re.IGNORECASE,
)  # fmt: skip
_SECRET_VALUE = re.compile(r"\b(?:sk-|hf_|gh[pousr]_|AKIA)[A-Za-z0-9_-]{12,}|(?<=://)[^/@\s]*@")
_SECRET_VARIABLE = re.compile(r"KEY|TOKEN|SECRET|PASS", re.IGNORECASE)
_HIDDEN = "(hidden)"


def provenance() -> dict[str, Any]:
    """Describe the software and the machine of this moment, as JSON values.

    Returns
    -------
    dict
        ``started`` (UTC, ISO 8601), ``python``, ``packages`` (installed ones with their
        versions), ``platform``, ``host`` (a hash that tells machines apart without naming
        them), ``git`` (commit and whether files were changed; empty where handan isn't
        imported from a checkout) and ``device``.
    """
    return {
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "packages": installed.versions(PACKAGES),
        "platform": platform.platform(),
        "host": hashlib.sha256(platform.node().encode()).hexdigest()[:12],
        "git": _checkout(),
        "device": _device(),
    }


def without_secrets(value: Any, name: str = "") -> Any:
    """Return settings with whatever looks like a secret hidden, at any depth.

    Hidden are values whose name says so (``api_key``, ``hf_token``, ``authorization``),
    texts that look like a key or hold a login in an address, and the contents of
    environment variables named like a secret.

    Parameters
    ----------
    value : object
        Settings; dicts and lists are searched.
    name : str
        Name of the value, where it has one.
    """
    if isinstance(value, dict):
        return {key: without_secrets(one, str(key)) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [without_secrets(one) for one in value]
    if not isinstance(value, str) or not value:
        return value
    if _SECRET_NAME.search(name):
        return _HIDDEN
    for variable, secret in os.environ.items():
        if len(secret) >= 8 and _SECRET_VARIABLE.search(variable) and secret in value:
            value = value.replace(secret, _HIDDEN)
    return _SECRET_VALUE.sub(_HIDDEN, value)


def _checkout() -> dict[str, Any]:
    source = Path(__file__).resolve()
    # In an environment inside somebody's repository, git would name that one's commit.
    if _said("git", "-C", str(source.parent), "ls-files", "--error-unmatch", "errors.py") is None:
        return {}
    commit = _said("git", "-C", str(source.parent), "rev-parse", "HEAD")
    changes = _said("git", "-C", str(source.parent), "--no-optional-locks", "status", "--porcelain")
    return {} if commit is None else {"commit": commit, "dirty": changes is None or bool(changes)}


def _device() -> dict[str, Any]:
    device: dict[str, Any] = {"cpu": _cpu(), "cores": os.cpu_count()}
    torch = sys.modules.get("torch")
    try:
        # Asking torch first would start CUDA in a process that may never use it.
        if torch is not None and torch.cuda.is_initialized():
            count = torch.cuda.device_count()
            device["gpus"] = [torch.cuda.get_device_name(place) for place in range(count)]
            device["cuda"] = torch.version.cuda
    except Exception as error:  # a broken driver must not stop a run on the CPU
        device["gpus"] = [f"unknown ({type(error).__name__})"]
    if "gpus" not in device and shutil.which("nvidia-smi"):
        listed = _said("nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader")
        device["gpus"] = listed.splitlines() if listed else []
    return device


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()


def _said(*command: str) -> str | None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None
    return done.stdout.strip()
