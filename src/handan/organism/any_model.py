"""Reinforce or distil a model of any size with the recipe of the tiny families.

Same trainers (`handan.organism.trl`), reward and rejection sampling; the problems are items of
the bank in words, through the model's own chat template, judged by the bank's own grader.

What has been run is a tiny model with random weights, on a CPU. Nobody has run this on a
GPU yet, nor on a model that can reason; the defaults are what is usual for such models.
"""

from __future__ import annotations

import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from handan import installed
from handan.organism import any_folder, any_plan, any_run
from handan.organism.any_job import Job, Options, distillation, reinforcement
from handan.organism.progress import Progress

__all__ = ["Job", "Options", "distillation", "plan", "reinforcement", "train"]
_PACKAGES = (
    "handan", "torch", "transformers", "trl", "accelerate", "peft", "tokenizers", "datasets", "numpy",
)  # fmt: skip


def plan(job: Job, out: Path | None = None) -> pd.DataFrame:
    """Say what a training would do and take, without doing it: ``what, value, how``.

    Raises
    ------
    RequestError
        When `out` holds something else.
    """
    return any_plan.plan(job, any_folder.is_done(out, job.settings) if out else False)


def train(job: Job, out: Path, report: Callable[[Progress], Any] | None = None) -> bool:
    """Train, or go on where it stopped, and write the model's folder.

    Parameters
    ----------
    job : Job
        See `reinforcement` and `distillation`.
    out : Path
        Folder of the new model.
    report : callable, optional
        Told the `Progress`; its values are those of the step.

    Returns
    -------
    bool
        False when the model was there already.

    Raises
    ------
    RequestError
        When the folder holds something else.
    KeyboardInterrupt
        After the step under way was finished and saved. The same job goes on from there.
    EngineError
        When memory runs out.
    """
    if any_folder.is_done(out, job.settings):
        return False
    with any_folder.reserved(out, job.settings) as inner:
        network, log = any_run.run(job, inner, report)
        made_with = {"python": platform.python_version(), **installed.versions(_PACKAGES)}
        record = {"settings": job.settings, "about": job.about, "versions": made_with, "log": log}
        any_folder.finish(out, network, job.learner, job.items, record)
    return True
