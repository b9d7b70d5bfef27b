"""A loaded model as the decoding loop sees it: read prompts, then take one token after another."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from handan.traces.cache import Slots

if TYPE_CHECKING:
    import torch

_TOLERANCE = 0.1  # of the spread of the logits; 16-bit formats differ by about 0.01


class Network:
    """A causal language model.

    Parameters
    ----------
    model : transformers.PreTrainedModel
        Loaded, in evaluation mode.
    pad : int
        Any token id: what stands in the padding is never attended to.
    """

    def __init__(self, model: Any, pad: int = 0) -> None:
        self.model = model
        self.device = model.device
        self._pad = pad
        known = inspect.signature(model.forward).parameters
        self._positions = "position_ids" in known
        # Without it the logits of a whole prompt are computed, of which one row is used.
        self._last = {"logits_to_keep": 1} if "logits_to_keep" in known else {}

    def read(self, prompts: Sequence[Sequence[int]]) -> tuple[torch.Tensor, Any, torch.Tensor]:
        """Read prompts from their beginning.

        Parameters
        ----------
        prompts : sequence of sequences of int
            Token ids, none empty.

        Returns
        -------
        logits : Tensor, shape (prompts, vocabulary)
            For the token that follows each.
        past : transformers.Cache
            Keys and values, padded at the left.
        mask : Tensor of bool, shape (prompts, width)
            False in the padding.
        """
        import torch
        from transformers import DynamicCache

        width = max(map(len, prompts))
        padded = [[self._pad] * (width - len(prompt)) + list(prompt) for prompt in prompts]
        ids = torch.tensor(padded, device=self.device)
        lengths = torch.tensor([len(prompt) for prompt in prompts], device=self.device)
        columns = torch.arange(width, device=self.device)
        positions = columns - (width - lengths)[:, None]
        even = all(len(prompt) == width for prompt in prompts)
        mask = positions >= 0
        # Without a configuration the cache keeps all columns, also where a sliding window
        # would let the model forget; the mask does the forgetting.
        logits, past = self._call(ids, None if even else mask, positions.clamp(min=0), DynamicCache())
        return logits, past, mask

    def step(self, tokens: torch.Tensor, lengths: torch.Tensor, slots: Slots, *, even: bool) -> torch.Tensor:
        """Read one token per row.

        Parameters
        ----------
        tokens : Tensor of int, shape (rows,)
            The tokens.
        lengths : Tensor of int, shape (rows,)
            Tokens that each row holds already.
        slots : Slots
            Where they are.
        even : bool
            Whether all rows fill the whole width, so that nothing needs to be masked.

        Returns
        -------
        Tensor, shape (rows, vocabulary)
            Logits for the tokens that follow.
        """
        import torch

        mask = None
        if not even:
            width = slots.width + 1
            mask = torch.arange(width, device=self.device) >= (width - 1 - lengths)[:, None]
        return self._call(tokens[:, None], mask, lengths[:, None], slots.past)[0]

    def _call(self, ids: Any, mask: Any, positions: Any, past: Any) -> tuple[Any, Any]:
        placed = {"position_ids": positions} if self._positions else {}
        if mask is not None:
            placed["attention_mask"] = mask.long()
        out = self.model(input_ids=ids, past_key_values=past, use_cache=True, **placed, **self._last)
        return out.logits[:, -1], out.past_key_values


def refillable(network: Network) -> tuple[bool, str]:
    """Say whether rows of different lengths can share a batch and be replaced, and why.

    Attention alone forgets nothing that a mask couldn't hide, and what a row left behind
    can be overwritten. Recurrent states can't be taken apart like that. Whether a model
    that looks suitable really gives the same logits with padding is tried once.

    Parameters
    ----------
    network : Network
        The model.
    """
    from transformers import DynamicCache

    config = network.model.config
    kinds = {type(layer).__name__ for layer in DynamicCache(config=config).layers}
    odd = sorted(kinds - {"DynamicLayer", "DynamicSlidingWindowLayer"})
    if odd or getattr(network.model, "_is_stateful", False):
        return False, f"the model keeps more than keys and values ({', '.join(odd) or 'a recurrent state'})"
    if getattr(config.get_text_config(), "attention_chunk_size", None):
        return False, "the model attends in chunks, counted from the start of the text"
    try:
        distance = _padding_error(network)
    except Exception as error:  # whatever an unknown architecture objects to
        return False, f"the model can't be run on a padded batch ({type(error).__name__})"
    if not distance < _TOLERANCE:
        return False, f"padding changes the model's logits by {distance:.0%} of their spread"
    return True, "the model keeps keys and values only, and padding doesn't change its logits"


def _padding_error(network: Network) -> float:
    """Distance of the logits with padding from those without, as a share of their spread."""
    import torch

    top = min(network.model.config.get_text_config().vocab_size, 1000)
    long = [(7 * place + 3) % top for place in range(9)]
    short = [(5 * place + 2) % top for place in range(4)]
    with torch.inference_mode():
        alone = torch.cat([_second(network, [long]), _second(network, [short])])
        together = _second(network, [long, short])
    spread = alone - alone.mean(dim=1, keepdim=True)
    return float((together - alone).norm(dim=1).div(spread.norm(dim=1)).max())


def _second(network: Network, prompts: list[list[int]]) -> torch.Tensor:
    """Logits after each prompt and one more token."""
    import torch

    _, past, mask = network.read(prompts)
    slots = Slots(past, len(prompts))
    slots.insert(range(len(prompts)), past, mask)
    fed = torch.ones(len(prompts), dtype=torch.long, device=network.device)
    return network.step(fed, mask.sum(dim=1), slots, even=len(prompts) == 1).float()
