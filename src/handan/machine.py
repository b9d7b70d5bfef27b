"""The machine that a notebook runs on: what it is, what fits, and where traces are kept.

`look` never fails and changes nothing. `welcome` is what the set-up cell of every notebook
calls last. `keep` finds a folder for traces that outlives the session, where there is one.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from handan import machine_find as find
from handan.machine_keep import keep
from handan.machine_welcome import welcome

__all__ = ["Machine", "keep", "look", "welcome"]


@dataclass(frozen=True)
class Machine:
    """A machine, as far as it could be known; what couldn't is None.

    Attributes
    ----------
    platform : {"colab", "kaggle", "binder", "local"}
        Whose machine it is.
    folder : Path
        Where its free disk was measured.
    cores : int or None
        Processors that this process may use.
    memory, disk : float or None
        Bytes of main memory, and of free disk at `folder`.
    python : str
        Version of Python.
    versions : mapping of str to str
        Versions of installed packages.
    device : str or None
        ``cuda``, ``mps`` (an Apple GPU) or ``cpu``; None when torch wasn't asked or isn't there.
    gpu : str or None
        Name of the first GPU.
    gpus : int or None
        How many there are; None when torch wasn't asked or isn't there.
    gpu_memory : float or None
        Bytes of the smallest GPU.
    capability : tuple of (int, int) or None
        NVIDIA's compute capability of the first GPU.
    dtype : str or None
        Number format that a model would be loaded in.
    reason : str
        Why that format, or why there is none.
    """

    platform: str
    folder: Path
    cores: int | None = None
    memory: float | None = None
    disk: float | None = None
    python: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    device: str | None = None
    gpu: str | None = None
    gpus: int | None = None
    gpu_memory: float | None = None
    capability: tuple[int, int] | None = None
    dtype: str | None = None
    reason: str = "torch was not asked"

    @property
    def is_apple(self) -> bool:
        """Whether it computes on an Apple GPU."""
        return self.device == "mps"


def look(
    folder: str | Path = ".",
    *,
    with_torch: bool = True,
    env: Mapping[str, str] | None = None,
    root: Path = Path("/"),
) -> Machine:
    """Find out what this machine is.

    Parameters
    ----------
    folder : str or Path
        Where free disk is measured; need not exist.
    with_torch : bool
        Whether torch is imported, which takes seconds; GPUs and number format are unknown otherwise.
    env : mapping of str to str, optional
        Environment variables, by default those of this process.
    root : Path
        Root of the file system.

    Returns
    -------
    Machine
    """
    folder = Path(folder)
    return Machine(
        platform=find.platform(os.environ if env is None else env, root),
        folder=folder,
        cores=find.cores(root),
        memory=find.memory(root),
        disk=find.free_disk(folder),
        python=platform.python_version(),
        versions=find.versions(),
        **(find.graphics() if with_torch else {}),
    )
