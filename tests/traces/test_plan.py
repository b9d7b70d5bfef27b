import pandas as pd
import pytest

from handan.lineage import load_lineage
from handan.traces import Decoding, Model, problems, requests, resolve
from handan.traces.experiment import askable_items, bill, workload
from handan.traces.plan import Expected, expected_tokens, plan, recorded_tokens

MODEL = Model("DeepSeek-R1", "deepseek-ai/DeepSeek-R1", "x", "c" * 40)
STRANGER = Model("new", "org/new", "org/new", "c" * 40)


def made(limit=5, samples=1, tokens=100):
    return requests(
        MODEL, problems(["syllogisms"], limit=limit), Decoding(tokens), samples=samples, dtype="f"
    )


def values(table):
    return dict(zip(table["what"], table["value"], strict=True))


def test_what_is_stored_is_the_best_guess():
    stored = pd.DataFrame(
        {"model": ["DeepSeek-R1", "DeepSeek-R1", "other"], "output_tokens": [100.0, 300.0, 9.0]}
    )
    guess = expected_tokens(MODEL, 8192, stored)
    assert guess == Expected(200.0, "mean of 2 answers in the store")


def test_then_the_recorded_studies_then_the_role_then_the_limit():
    recorded = recorded_tokens()
    own = recorded.loc[recorded["model"] == "DeepSeek-R1", "tokens"].mean()
    assert expected_tokens(MODEL, 10**6).tokens == pytest.approx(own)
    unseen = load_lineage().query("role == 'baseline'")["model"]
    unseen = next(name for name in unseen if name not in set(recorded["model"]))
    peers = recorded.loc[recorded["role"] == "baseline", "tokens"].mean()
    baseline = Model(unseen, "x/y", "x/y", "c" * 40)
    assert expected_tokens(baseline, 10**6).tokens == pytest.approx(peers)
    assert "nothing is known" in expected_tokens(STRANGER, 500).source
    assert expected_tokens(STRANGER, 500).tokens == 500


def test_no_guess_is_above_the_limit():
    assert expected_tokens(MODEL, 64).tokens == 64


def test_only_what_is_left_is_billed():
    found = values(plan(made(samples=2), 4, Expected(50.0, "a guess"), price_in=1e6, price_out=2e6))
    assert (found["requests"], found["in the store"], found["to do"]) == ("10", "4", "6")
    assert found["tokens to write"] == "300"
    assert found["at most"] == "600"
    read = float(found["tokens to read"].replace(",", ""))
    assert float(found["price"].replace(",", "")) == pytest.approx(read + 600, rel=0.01)


def test_without_a_rate_the_time_is_unknown_and_with_one_it_is_not():
    assert values(plan(made(), 0, Expected(50.0, "")))["time"] == "unknown"
    assert values(plan(made(), 0, Expected(50.0, ""), rate=25.0, rate_source="x"))["time"] == "10 s"


def test_prompts_are_counted_by_a_tokenizer_where_there_is_one():
    def words(text, add_special_tokens):
        return {"input_ids": text.split()}

    asked = made()
    exact = sum(len(one.prompt.split()) for one in asked)
    assert values(plan(asked, 0, Expected(1.0, ""), tokenizer=words))["tokens to read"] == f"{exact:,}"


def test_the_workload_is_models_by_items_by_samples():
    one, four = (workload(samples, "pm-bench") for samples in (1, 4))
    assert len(one) == 14
    assert (one["requests"] == len(askable_items())).all()
    assert four["tokens_out"].sum() == pytest.approx(4 * one["tokens_out"].sum())
    assert set(one["role"]) == {"teacher", "student", "baseline"}
    assert one["role"].value_counts().to_dict() == {"baseline": 7, "student": 6, "teacher": 1}


def test_a_study_without_a_role_can_set_no_length():
    with pytest.raises(LookupError, match="pnas-r1"):
        workload(1, "pnas-r1")


def test_the_bill_is_hours_times_machines_times_price():
    load = workload(2, "mip-gsm8k")
    costs = bill(load, 0.5)
    fits = costs[costs["hours"].notna()]
    assert (fits["usd"] > 0).all()
    assert fits["hours"].to_numpy() == pytest.approx(
        (fits.merge(load, on="model")["tokens_out"] / fits["rate"].to_numpy() / 3600).to_numpy()
    )
    # Twice the efficiency halves it, and an endpoint does not mind.
    double = bill(load, 1.0)
    assert double["hours"].sum() == pytest.approx(costs["hours"].sum() / 2)
    api = costs["gpus"] == 0
    assert double.loc[api, "usd"].equals(costs.loc[api, "usd"])
    assert costs.loc[api, "usd"].notna().sum() == 2


def test_a_measured_rate_takes_the_place_of_the_estimate():
    load = workload(1, "mip-gsm8k")
    name = "DeepSeek-R1-Distill-Qwen-1.5B"
    costs = bill(load, 0.5, rates={f"t4/{name}": 123.0}).set_index(["model", "machine"])
    assert costs.at[(name, "T4 16 GB"), "rate"] == 123.0
    assert costs.at[(name, "A100 80 GB"), "rate"] != 123.0


def test_the_tiny_model_has_a_role_of_its_own():
    assert expected_tokens(resolve("base-carry-s0"), 77) == Expected(
        77.0, "the limit, as nothing is known of this model"
    )
