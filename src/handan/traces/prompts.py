"""From items of the bank to requests: the problem in words, then the model's own chat template."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from handan.norms import load_bank, task
from handan.norms.task import Task
from handan.traces.errors import RequestError
from handan.traces.models import Model, Style
from handan.traces.request import Decoding, Request

PLAIN = "plain"
SERVER = "server"


def problems(names: Iterable[str], *, limit: int | None = None) -> list[tuple[str, str]]:
    """List the items of some tasks as ``(task, item)``, in the order of the bank.

    Parameters
    ----------
    names : iterable of str
        Tasks of the bank.
    limit : int, optional
        Items per task, spread evenly over the order of the bank.

    Raises
    ------
    RequestError
        When a task is named twice, has no prompt, or `limit` is below 1.
    """
    names = list(names)
    if len(set(names)) < len(names):
        raise RequestError(f"a task is named twice: {', '.join(names)}")
    if limit is not None and limit < 1:
        raise RequestError(f"the limit of items must be at least 1, not {limit}")
    found = []
    for name in names:
        if not _known(name).has_prompt:
            raise RequestError(f"{name} has norms only: the bank holds no text that a model could be asked")
        items = load_bank([name])["item"].tolist()
        step = max(len(items) / limit, 1) if limit else 1
        found += [(name, items[int(place * step)]) for place in range(int(len(items) / step + 1e-9))]
    return found


def _known(name: str) -> Task:
    try:
        return task(name)
    except ValueError as error:
        raise RequestError(str(error)) from None


def problem_text(name: str, item: str, style: str) -> str:
    """Return the problem in words (``wording``), or as the item's code (``code``).

    Raises
    ------
    RequestError
        When there is no such style.
    """
    if style not in list(Style):
        raise RequestError(f"a prompt is {' or '.join(Style)}, not {style!r}")
    return f"{name} {item}\n" if style == Style.CODE else task(name).prompt(item)


def chat_renderer(tokenizer: Any) -> tuple[Callable[[str], str], str]:
    """Return how a tokenizer turns a user's message into a prompt, and the hash of its template.

    Without a chat template the message is the prompt, followed by an empty line.

    Parameters
    ----------
    tokenizer : PreTrainedTokenizerBase
        The model's tokenizer.
    """
    if not getattr(tokenizer, "chat_template", None):
        return lambda text: text if text.endswith("\n") else f"{text}\n\n", PLAIN
    return partial(_chat, tokenizer), hashlib.sha256(str(tokenizer.chat_template).encode()).hexdigest()[:16]


def _chat(tokenizer: Any, text: str) -> str:
    message = [{"role": "user", "content": text}]
    return str(tokenizer.apply_chat_template(message, tokenize=False, add_generation_prompt=True))


def requests(
    model: Model,
    items: Iterable[tuple[str, str]],
    decoding: Decoding,
    *,
    samples: int = 1,
    dtype: str,
    render: Callable[[str], str] = str,
    template: str = SERVER,
) -> list[Request]:
    """Write down every request of a run: items × samples.

    Parameters
    ----------
    model : Model
        Who is asked.
    items : iterable of (str, str)
        Tasks and items, see `problems`.
    decoding : Decoding
        See there.
    samples : int
        Samples per item.
    dtype : str
        Number format that the engine will compute in.
    render : callable
        Message to prompt, see `chat_renderer`; by default the message itself.
    template : str
        Hash of the template.

    Raises
    ------
    RequestError
        When there is nothing to do, several samples of a greedy decoding are asked for, or a
        prompt is neither in words nor the item's code.
    """
    if samples < 1:
        raise RequestError(f"the number of samples must be at least 1, not {samples}")
    if samples > 1 and decoding.greedy:
        raise RequestError("at temperature 0 every sample is the same: take one sample, or a temperature")
    prompts = [(name, item, render(problem_text(name, item, model.prompt))) for name, item in items]
    if not prompts:
        raise RequestError("there is no item to ask about")
    about = {"model": model.name, "model_id": model.model_id, "revision": model.revision}
    return [
        Request(**about, template=template, task=name, item=item, sample=sample, prompt=prompt,
                decoding=decoding, dtype=dtype)
        for sample in range(samples)
        for name, item, prompt in prompts
    ]  # fmt: skip
