"""Learning from a reward with a plain loop: group-relative policy optimisation (GRPO).

For every problem the model writes a group of replies. A reply's reward is 1 if its answer
is right, less a price for each token. Its *advantage* is the reward's distance from the
mean of its group, so that a reply counts as good only beside others to the same problem.
The model is moved towards good replies, token by token.

Advantages are not divided by the standard deviation of the group. Where all replies of a
group are right, they differ by the price of their tokens alone, and dividing would make
these small differences as large as that between right and wrong. In our trials such
training ended in models that answer nothing at all. Liu et al. (2025), Understanding
R1-Zero-like training, arXiv:2503.20783, advise against it for another reason.

The loss is that of TRL's ``GRPOTrainer`` with ``scale_rewards="none"`` and defaults
otherwise (one update per batch, no Kullback-Leibler term, normalised by the tokens of the
whole batch), see `handan.organism.trl`. Shao et al. (2024), DeepSeekMath,
arXiv:2402.03300, equation 3; the normalisation is that of Yu et al. (2025), DAPO,
arXiv:2503.14476, equation 8.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from handan.organism import grammar
from handan.organism.corpus import Problem
from handan.organism.network import NO_LOSS, tensors
from handan.organism.progress import Progress, Tracker
from handan.organism.recipe import Reinforced
from handan.organism.supervised import CLIP, PARTS
from handan.traces.decode import Batch, Row
from handan.traces.network import Network
from handan.traces.request import Decoding

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerFast, Qwen2ForCausalLM


@dataclass(frozen=True)
class Sample:
    """A reply to a training problem.

    Attributes
    ----------
    problem : (str, str)
        Task and item.
    prompt, ids : list of int
        Tokens read, and tokens written up to and including the stop token.
    text : str
        What was written, without the stop token.
    right : bool
        Whether the answer is right.
    ended : bool
        Whether it stopped by itself.
    """

    problem: Problem
    prompt: list[int]
    ids: list[int]
    text: str
    right: bool
    ended: bool


def sample(
    model: Qwen2ForCausalLM,
    tokenizer: PreTrainedTokenizerFast,
    problems: Sequence[Problem],
    *,
    label: str,
    group: int = 1,
    max_new_tokens: int = 160,
    size: int = 256,
) -> list[Sample]:
    """Let a model reply to problems at temperature 1, with the decoder of the traces.

    Parameters
    ----------
    model, tokenizer
        Who is asked.
    problems : sequence of (str, str)
        Tasks and items.
    label : str
        Seeds the samples: the same label, problems and model give the same replies.
    group : int
        Replies per problem; they stand side by side in the result.
    max_new_tokens : int
        Longest reply.
    size : int
        Most replies at a time.
    """
    asked = [problem for problem in problems for _ in range(group)]
    prompts = tokenizer([grammar.prompt(*problem) for problem in asked])["input_ids"]
    rows = [
        Row(hashlib.sha256(f"{label}/{place}".encode()).hexdigest()[:16], ids, max_new_tokens)
        for place, ids in enumerate(prompts)
    ]
    # Longest prompts first, as the batch needs them; `rows` keeps the order of the problems.
    waiting = deque(sorted(rows, key=lambda row: -len(row.prompt)))
    decoding = Decoding(max_new_tokens, 1.0, top_p=1.0)
    model.eval()
    for _ in Batch(Network(model), waiting, decoding, frozenset({tokenizer.eos_token_id}), size=size).run():
        pass
    texts = tokenizer.batch_decode([row.ids for row in rows], skip_special_tokens=True)
    return [
        Sample(problem, row.prompt, row.ids, text, grammar.is_right(*problem, text), row.end == "stop")
        for problem, row, text in zip(asked, rows, texts, strict=True)
    ]


def reward(sample: Sample, price: float) -> float:
    """Return 1 for a right answer or 0 for a wrong one, less the price of the tokens."""
    return float(sample.right) - price * len(sample.ids)


def advantages(rewards: Sequence[float], group: int) -> torch.Tensor:
    """Distance of each reward from the mean of its group.

    Parameters
    ----------
    rewards : sequence of float
        Those of a group side by side.
    group : int
        Size of a group, at least 2.

    Returns
    -------
    Tensor, shape (rewards,)
        All zero within a group of equal rewards.
    """
    import torch

    table = torch.tensor(rewards, dtype=torch.float32).view(-1, group)
    return (table - table.mean(dim=1, keepdim=True)).flatten()


def add_gradients(
    model: Qwen2ForCausalLM, samples: Sequence[Sample], weights: torch.Tensor, pad: int
) -> float:
    """Add the gradients of the policy's loss to those of the model, and return the loss.

    The samples come from the model as it is, so the ratio of new to old probability is 1
    and only its gradient matters.
    """
    import torch

    counted = sum(len(sample.ids) for sample in samples)
    ranked = sorted(range(len(samples)), key=lambda place: len(samples[place].ids))
    size, total = -(-len(ranked) // PARTS), 0.0
    for start in range(0, len(ranked), size):
        places = ranked[start : start + size]
        ids, labels = tensors([(samples[place].prompt, samples[place].ids) for place in places], pad)
        logits = model(input_ids=ids, use_cache=False).logits[:, :-1]
        losses = torch.nn.functional.cross_entropy(
            logits.flatten(0, 1), labels[:, 1:].flatten(), ignore_index=NO_LOSS, reduction="none"
        ).view(len(places), -1)
        ratio = torch.exp(losses.detach() - losses)
        written = labels[:, 1:] != NO_LOSS
        loss = -(ratio * weights[places, None] * written).sum() / counted
        loss.backward()
        total += loss.item()
    return total


def fit(
    model: Qwen2ForCausalLM,
    tokenizer: PreTrainedTokenizerFast,
    problems: Iterator[Problem],
    how: Reinforced,
    *,
    label: str,
    report: Callable[[Progress], Any] | None = None,
    every: int = 10,
    watch: Callable[[int, Qwen2ForCausalLM], Any] | None = None,
) -> list[Progress]:
    """Reinforce a model.

    Parameters
    ----------
    model, tokenizer
        What is trained; changed in place and left in evaluation mode.
    problems : iterator of (str, str)
        Tasks and items without end.
    how : Reinforced
        Steps, group, rate and price.
    label : str
        Seeds the samples.
    report, every, watch
        As in `handan.organism.supervised.fit`.

    Returns
    -------
    list of Progress
        All reports.
    """
    import torch

    optimiser, warm = optimisation(model.parameters(), how)
    track = Tracker(how.steps, every, report, watch, model)
    for step in range(how.steps):
        asked = list(islice(problems, how.prompts))
        told = sample(
            model, tokenizer, asked,
            label=f"{label}/{step}", group=how.group, max_new_tokens=how.max_new_tokens,
        )  # fmt: skip
        rewards = [reward(one, how.price) for one in told]
        optimiser.zero_grad()
        add_gradients(model, told, advantages(rewards, how.group), tokenizer.pad_token_id)
        torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimiser.step()
        warm.step()
        tokens = [len(one.ids) for one in told]
        n = len(told)
        track.step(
            tokens=sum(tokens),
            reward=sum(rewards) / n,
            right=sum(one.right for one in told) / n,
            tokens_each=sum(tokens) / n,
        )
    model.eval()
    return track.log


def optimisation(parameters: Iterable[Any], how: Reinforced) -> tuple[Any, Any]:
    """Make the optimiser (AdamW, no decay) of some parameters and the schedule of its learning rate."""
    import torch

    optimiser = torch.optim.AdamW(parameters, lr=how.rate, weight_decay=0.0)
    return optimiser, torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min((step + 1) / how.warmup, 1.0)
    )
