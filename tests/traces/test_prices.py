import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handan.traces import Decoding, Request, RequestError
from handan.traces.prices import PER_MESSAGE, Prices, estimate, estimated_tokens

ASKED = Request("m", "k", "unknown", "server", "t", "i", 0, "x" * 40, Decoding(max_new_tokens=1000), "server")
PRICES = Prices(2.0, 8.0, "EUR")


def test_a_run_is_priced_by_task():
    requests = [replace(ASKED, sample=n) for n in range(3)] + [replace(ASKED, task="u", prompt="四" * 5)]
    table = estimate(requests, {"t": 200, "u": 5000}, PRICES)
    assert table["task"].tolist() == ["t", "u"]
    assert table["requests"].tolist() == [3, 1]
    assert table["prompt_tokens"].tolist() == [3 * (10 + PER_MESSAGE), 5 + PER_MESSAGE]
    assert table["expected_tokens"].tolist() == [600, 1000]
    assert table["limit_tokens"].tolist() == [3000, 1000]
    assert table["expected_price"].tolist() == pytest.approx(
        [(54 * 2 + 600 * 8) / 1e6, (13 * 2 + 1000 * 8) / 1e6]
    )
    assert table["limit_price"].sum() == pytest.approx((67 * 2 + 4000 * 8) / 1e6)
    assert set(table["currency"]) == {"EUR"}


def test_without_an_expectation_the_limit_alone_is_priced():
    table = estimate([ASKED], None, PRICES)
    assert math.isnan(table["expected_price"].item())
    assert table["limit_price"].item() == pytest.approx((18 * 2 + 8000) / 1e6)


def test_a_tokenizer_counts_better():
    table = estimate([ASKED], 0, PRICES, count=len)
    assert table["prompt_tokens"].item() == 40
    assert table["expected_price"].item() == pytest.approx(80 / 1e6)


@settings(deadline=None)
@given(st.text(max_size=200), st.text(max_size=200))
def test_longer_text_is_never_cheaper(one, other):
    both = estimated_tokens(one + other)
    assert both >= max(estimated_tokens(one), estimated_tokens(other))
    assert both <= estimated_tokens(one) + estimated_tokens(other)
    assert estimated_tokens("") == PER_MESSAGE


@pytest.mark.parametrize("price", [-1, float("nan"), float("inf")])
def test_impossible_prices_are_refused(price):
    with pytest.raises(RequestError, match="per million"):
        Prices(1, price)


@pytest.mark.parametrize("expected", [-1, float("nan"), {"u": 1}, {"t": -1}])
def test_impossible_expectations_are_refused(expected):
    with pytest.raises(RequestError):
        estimate([ASKED], expected, PRICES)
    with pytest.raises(RequestError, match="no request"):
        estimate([], 1, PRICES)
