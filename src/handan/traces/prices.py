"""What a run on an endpoint will cost, before it starts.

No prices are packaged: they change, and a reader would trust a stale one. The user states
them. Tokens of a prompt are counted where a counter is given, and otherwise estimated: one
for every four characters of ASCII begun (English runs at about that), one for every other
character, and `PER_MESSAGE` for the chat template. That is a rule of thumb, and prompts
are the small part of the price of a reasoning model.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from handan.traces.errors import RequestError
from handan.traces.request import Request

PER_MESSAGE = 8
_MILLION = 1_000_000


@dataclass(frozen=True)
class Prices:
    """What a provider charges.

    Parameters
    ----------
    per_million_in, per_million_out : float
        Price of a million tokens read, and of a million generated; reasoning is generated.
    currency : str
        For the table.

    Raises
    ------
    RequestError
        When a price is negative or not finite.
    """

    per_million_in: float
    per_million_out: float
    currency: str = "USD"

    def __post_init__(self) -> None:
        for price in (self.per_million_in, self.per_million_out):
            if not 0 <= price < math.inf:
                raise RequestError(f"a price per million tokens must be 0 or above, not {price}")

    def of(self, tokens_in: float, tokens_out: float) -> float:
        """Price of so many tokens."""
        return (tokens_in * self.per_million_in + tokens_out * self.per_million_out) / _MILLION


def estimated_tokens(text: str) -> int:
    """Estimate the tokens of one user message from its characters; see the rule above."""
    plain = sum(character.isascii() for character in text)
    return math.ceil(plain / 4) + (len(text) - plain) + PER_MESSAGE


def estimate(
    requests: Sequence[Request],
    expected_output_tokens: float | Mapping[str, float] | None,
    prices: Prices,
    *,
    count: Callable[[str], int] | None = None,
) -> pd.DataFrame:
    """Estimate tokens and price of a run.

    Tries that fail after they were generated are billed too, and come on top.

    Parameters
    ----------
    requests : sequence of Request
        What is to be asked.
    expected_output_tokens : float, mapping or None
        Generated tokens per request, for all tasks or by task; None where nothing is
        known: then only the limit is priced.
    prices : Prices
        As stated by the user.
    count : callable, optional
        Counts the tokens of a prompt; by default `estimated_tokens`.

    Returns
    -------
    DataFrame
        One row per model and task: ``model, task, requests, prompt_tokens,
        expected_tokens, expected_price, limit_tokens, limit_price, currency``. The limit
        is what it costs when every reply runs up to its token limit. Sums of columns are
        sums of the run.

    Raises
    ------
    RequestError
        When there is no request, or an expectation is missing or negative.
    """
    if not requests:
        raise RequestError("there is no request to price")
    rows = pd.DataFrame(
        {
            "model": [one.model for one in requests],
            "task": [one.task for one in requests],
            "requests": 1,
            "prompt_tokens": [(count or estimated_tokens)(one.prompt) for one in requests],
            "expected_tokens": [_expected(one, expected_output_tokens) for one in requests],
            "limit_tokens": [one.decoding.max_new_tokens for one in requests],
        }
    )
    table = rows.groupby(["model", "task"], sort=False, as_index=False).sum(min_count=1)
    for kind in ("expected", "limit"):
        price = prices.of(table["prompt_tokens"], table[f"{kind}_tokens"])
        table.insert(table.columns.get_loc(f"{kind}_tokens") + 1, f"{kind}_price", price)
    return table.assign(currency=prices.currency)


def _expected(request: Request, stated: float | Mapping[str, float] | None) -> float:
    """Look up the expected output tokens of one request; a reply can't be longer than its limit."""
    value = stated.get(request.task) if isinstance(stated, Mapping) else stated
    if value is None:
        if isinstance(stated, Mapping):
            raise RequestError(f"no expected number of output tokens is stated for {request.task}")
        return math.nan
    if not 0 <= value < math.inf:
        raise RequestError(f"the expected number of output tokens must be 0 or above, not {value}")
    return float(min(value, request.decoding.max_new_tokens))
