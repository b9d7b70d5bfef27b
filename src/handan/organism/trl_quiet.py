"""TRL without its side effects: what it prints, reports to the hub, and changes in a model."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def quiet() -> Iterator[None]:
    """Keep TRL and what it stands on from drawing bars, hinting, and telling the hub that they are used."""
    import warnings

    import datasets
    from huggingface_hub import constants
    from transformers.utils import logging

    level, silent = logging.get_verbosity(), constants.HF_HUB_DISABLE_TELEMETRY
    bars, more_bars = not datasets.are_progress_bars_disabled(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    datasets.disable_progress_bars()
    constants.HF_HUB_DISABLE_TELEMETRY = True
    try:
        with warnings.catch_warnings():
            # Between TRL and transformers: names of settings that one of them has given up.
            warnings.simplefilter("ignore", FutureWarning)
            yield
    finally:
        logging.set_verbosity(level)
        constants.HF_HUB_DISABLE_TELEMETRY = silent
        if bars:
            datasets.enable_progress_bars()
        if more_bars:
            logging.enable_progress_bar()


@contextmanager
def unpatched(model: Any) -> Iterator[None]:
    """Take back what TRL changes in a model: its forward pass, which can't be copied, and its decoding."""
    before = {name: model.__dict__.get(name) for name in ("forward", "_original_forward")}
    generation = copy.deepcopy(model.generation_config)
    try:
        yield
    finally:
        model.generation_config = generation
        for name, value in before.items():
            model.__dict__.pop(name, None)
            if value is not None:
                model.__dict__[name] = value
