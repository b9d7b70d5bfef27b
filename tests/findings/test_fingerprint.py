import numpy as np
import pandas as pd
import pingouin
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handan import costs as recorded
from handan.findings.fingerprint import Fingerprints, Task, fingerprints, people_row
from handan.findings.fingerprint_pairs import affordable, pair_draws, pair_values
from handan.findings.fingerprint_rows import item_rows, over_seeds, studies_of_families
from handan.findings.join import join
from handan.stats.percentile import percentile_interval
from handan.stats.simulate import proportion_interval

A, B, HUMAN = 0, 1, 2


def study(n=(30, 12), samples=1, noise=0.0, seed=0, models=("a", "b")):
    """Two tasks of different level, spread and number of items; models share half of their variance."""
    rng = np.random.default_rng(seed)
    rows, norms = [], []
    for k, size in enumerate(n):
        items = [f"i{j}" for j in range(size)]
        shared, prompt = rng.normal(size=size), rng.integers(20, 200, size)
        norms.append(pd.DataFrame(dict(task=f"t{k}", item=items, log_rt=1 + 0.3 * shared)))
        for m, model in enumerate(models):
            log = 4 + 2 * k + (0.4 + k) * (shared + rng.normal(size=size)) + 0.2 * np.log(prompt)
            for sample in range(samples):
                tokens = np.exp(log + noise * rng.normal(size=size))
                rows.append(
                    pd.DataFrame(dict(study="simulated", model=model, task=f"t{k}", item=items, sample=sample))
                    .assign(reasoning_tokens=tokens, prompt_tokens=prompt + m, stop="stop")
                )  # fmt: skip
    return pd.concat(rows, ignore_index=True), pd.concat(norms, ignore_index=True)


def prints_of(costs, norms, reliability=None):
    return fingerprints(item_rows(join(costs, norms), costs), reliability)


def one_pair(prints, a=A, b=B):
    return pair_values(prints, np.array([a]), np.array([b])).iloc[0]


def concatenated(costs, norms):
    """The same vectors, made as third parties describe them: z-scores within task, tasks joined."""
    table = costs.merge(norms, on=["task", "item"])
    table["cost"], table["prompt"] = np.log(table["reasoning_tokens"]), np.log(table["prompt_tokens"])
    wide = table.pivot(index=["task", "item"], columns="model", values=["cost", "prompt"])
    vectors = pd.DataFrame({"a": wide["cost", "a"], "b": wide["cost", "b"], "p": wide["prompt"].mean(axis=1)})
    vectors["human"] = table.drop_duplicates(["task", "item"]).set_index(["task", "item"])["log_rt"]
    return vectors.dropna().groupby("task").transform(lambda x: (x - x.mean()) / x.std(ddof=0))


def test_similarity_is_the_correlation_of_concatenated_z_scores():
    costs, norms = study()
    found, vectors = one_pair(prints_of(costs, norms)), concatenated(costs, norms)
    assert (found["n"], found["n_tasks"]) == (42, 2)
    assert found["r"] == pytest.approx(vectors.corr().at["a", "b"])
    assert one_pair(prints_of(costs, norms), A, HUMAN)["r"] == pytest.approx(vectors.corr().at["a", "human"])
    partial = pingouin.partial_corr(vectors, "a", "b", "p")["r"].iloc[0]
    assert found["partial"] == pytest.approx(partial)
    assert abs(partial - found["r"]) > 0.001


def test_level_and_spread_of_a_model_do_not_matter():
    costs, norms = study()
    stretched = costs.assign(
        reasoning_tokens=costs["reasoning_tokens"].mask(
            (costs["model"] == "a") & (costs["task"] == "t1"), 7 * costs["reasoning_tokens"] ** 3
        )
    )
    assert one_pair(prints_of(stretched, norms))["r"] == pytest.approx(one_pair(prints_of(costs, norms))["r"])


def test_only_common_items_count():
    costs, norms = study()
    lost = costs.drop(costs[(costs["model"] == "a") & (costs["item"] == "i3")].index)
    lost = lost.drop(lost[(lost["model"] == "b") & (lost["item"] == "i4")].index)
    both = costs[~costs["item"].isin(["i3", "i4"])]
    found = one_pair(prints_of(lost, norms))
    assert found["n"] == 38
    assert found["r"] == pytest.approx(one_pair(prints_of(both, norms))["r"])
    prints = prints_of(lost, norms)
    assert one_pair(prints, A, HUMAN)["n"] == 40
    third = pair_values(prints, np.array([A]), np.array([HUMAN]), np.array([B]))
    assert third["n"].tolist() == [38]


def test_a_task_in_which_a_model_does_not_vary_is_left_out():
    costs, norms = study()
    flat = (costs["model"] == "a") & (costs["task"] == "t1")
    costs.loc[flat, "reasoning_tokens"] = 50.0
    found = one_pair(prints_of(costs, norms))
    only = one_pair(prints_of(costs[costs["task"] == "t0"], norms))
    assert (found["n"], found["n_tasks"]) == (30, 1)
    assert found["r"] == pytest.approx(only["r"])
    costs.loc[costs["model"] == "a", "reasoning_tokens"] = 50.0
    found = one_pair(prints_of(costs, norms))
    assert (found["n"], found["n_tasks"]) == (0, 0)
    assert np.isnan(found["r"])
    # the third fingerprint does not vary in any task, so it allows no comparison
    prints = prints_of(costs, norms)
    assert pair_values(prints, np.array([B]), np.array([HUMAN]), np.array([A]))["n"].tolist() == [0]


def test_without_prompt_lengths_there_is_no_partial_r():
    costs, norms = study()
    assert np.isnan(one_pair(prints_of(costs.drop(columns="prompt_tokens"), norms))["partial"])
    same = costs.assign(prompt_tokens=80)
    assert np.isnan(one_pair(prints_of(same, norms))["partial"])


def test_draws_are_paired_and_do_not_depend_on_the_other_pairs():
    prints = prints_of(*study())
    every = pair_draws(prints, *prints.pairs(), 50, seed=3)
    alone = pair_draws(prints, np.array([A]), np.array([HUMAN]), 50, seed=3)
    assert every[:, [1]] == pytest.approx(alone)
    assert every[:, 0].std() > 0
    assert not np.allclose(every, pair_draws(prints, *prints.pairs(), 50, seed=4))


def test_many_pairs_are_done_in_blocks():
    rng = np.random.default_rng(0)
    task = Task("t", rng.normal(size=(15, 30)), np.full((15, 30), np.nan), np.full(30, np.nan))
    prints = Fingerprints("s", tuple(map(str, range(30))), (task,))
    left, right = prints.pairs()
    assert len(left) > 256
    draws, found = pair_draws(prints, left, right, 20), pair_values(prints, left, right)
    assert np.corrcoef(task.matrix.T)[left, right] == pytest.approx(found["r"].to_numpy())
    assert draws[:, -3:] == pytest.approx(pair_draws(prints, left[-3:], right[-3:], 20))


def test_a_large_study_takes_fewer_resamples():
    assert affordable(10_000, 15, 600) == 10_000
    assert affordable(10_000, 5_000, 100) == 300
    assert affordable(10_000, 55, 1_000_000) == 100
    assert affordable(50, 10**6, 10**6) == 50


def split_half(costs, model):
    """Mean over all halvings of four samples, stepped up by Spearman and Brown."""
    part = costs[costs["model"] == model]
    found = []
    for _, rows in part.groupby("task"):
        logs = np.log(rows.pivot(index="item", columns="sample", values="reasoning_tokens").to_numpy())
        halves = [((0, 1), (2, 3)), ((0, 2), (1, 3)), ((0, 3), (1, 2))]
        r = [np.corrcoef(logs[:, a].mean(axis=1), logs[:, b].mean(axis=1))[0, 1] for a, b in halves]
        found.append((len(logs), np.mean([2 * one / (1 + one) for one in r])))
    n, values = np.array(found).T
    return (n * values).sum() / n.sum()


def test_reliability_is_what_split_halves_give_and_what_the_simulation_put_in():
    costs, norms = study(n=(400, 300), samples=4, noise=0.8, seed=2)
    found = one_pair(prints_of(costs, norms))
    assert found["reliability_a"] == pytest.approx(split_half(costs, "a"), abs=0.01)
    assert found["reliability_b"] == pytest.approx(split_half(costs, "b"), abs=0.01)
    clean, _ = study(n=(400, 300), samples=1, noise=0.0, seed=2)
    truth = one_pair(prints_of(clean, norms))["r"]
    corrected = found["r"] / np.sqrt(found["reliability_a"] * found["reliability_b"])
    assert found["r"] < truth - 0.05
    # the second study has other items of the same kind: 700 of them fix r to about .03
    assert corrected == pytest.approx(truth, abs=0.08)


def test_unequal_numbers_of_samples_are_allowed_and_too_few_repeats_are_not():
    costs, norms = study(n=(1_500,), samples=3, noise=0.6)
    uneven = costs.drop(costs[(costs["sample"] == 2) & (costs["item"] < "i5")].index)
    rows = item_rows(join(uneven, norms), uneven)
    assert set(rows["n_samples"]) == {2, 3}
    # the error variance of an item mean is that of a sample over the number of samples
    assert (rows["noise"] * rows["n_samples"]).to_numpy() == pytest.approx(0.36, rel=0.1)
    full, part = (one_pair(prints_of(table, norms))["reliability_a"] for table in (costs, uneven))
    assert full - 0.06 < part < full
    few = costs.drop(costs[(costs["sample"] > 0) & ~costs["item"].isin([f"i{k}" for k in range(19)])].index)
    rows = item_rows(join(few, norms), few)
    assert set(rows["n_repeated"]) == {19}
    assert rows["noise"].isna().all()


def test_one_sample_says_nothing_about_noise_and_neither_do_absent_costs():
    costs, norms = study()
    assert item_rows(join(costs, norms), costs)["noise"].isna().all()
    repeated, norms = study(samples=3, noise=0.3)
    assert item_rows(join(repeated, norms))["noise"].isna().all()
    with pytest.raises(LookupError, match="no column 'price'"):
        item_rows(join(costs, norms), costs, "price")


def test_zeros_and_failures_have_no_part_in_the_noise():
    costs, norms = study(n=(60,), samples=3, noise=0.3)
    before = item_rows(join(costs, norms), costs)
    extra = costs[costs["sample"] == 0].assign(sample=3, reasoning_tokens=0.0)
    failed = costs[costs["sample"] == 0].assign(sample=4, reasoning_tokens=9e9, stop="error")
    more = pd.concat([costs, extra, failed], ignore_index=True)
    after = item_rows(join(more, norms), more)
    assert after["noise"].to_numpy() == pytest.approx(before["noise"].to_numpy())


def test_the_reliability_of_people_is_that_of_the_norms():
    costs, norms = study()
    told = pd.DataFrame(dict(study="simulated", task=["t0", "t1"], reliability=[0.9, 0.6]))
    found = one_pair(prints_of(costs, norms, told), A, HUMAN)
    assert found["reliability_b"] == pytest.approx((30 * 0.9 + 12 * 0.6) / 42)
    assert np.isnan(one_pair(prints_of(costs, norms, told.iloc[:1]), A, HUMAN)["reliability_b"])


def test_the_row_of_people_is_named_after_what_was_measured():
    assert people_row("human response time", ["a"]) == "people"
    assert people_row("LLM-judged difficulty", ["a"]) == "LLM-judged difficulty"
    assert people_row("human response time", ["people"]) == "people (norms)"


def family(seeds=4, noise=0.5, samples=3):
    """Seeds of one condition share their items' difficulty, and have levels of their own."""
    tables, lineage = [], []
    for seed in range(seeds):
        costs, norms = study(n=(80,), samples=samples, noise=noise, models=("a", "b"))
        # the same simulated items for every seed, with new noise
        rng = np.random.default_rng(100 + seed)
        costs["reasoning_tokens"] *= np.exp(noise * rng.normal(size=len(costs)) + seed)
        tables.append(costs.assign(model=costs["model"] + f"-s{seed}"))
        for name, role in (("a", "teacher"), ("b", "student")):
            row = dict(model=f"{name}-s{seed}", role=role, condition=name, repertoire="x", seed=seed)
            lineage.append(row | dict(teacher=f"a-s{seed}" if name == "b" else None))
    return pd.concat(tables, ignore_index=True), norms, pd.DataFrame(lineage)


def test_means_over_seeds_are_one_model_per_condition():
    costs, norms, lineage = family()
    rows = item_rows(join(costs, norms), costs)
    assert studies_of_families(lineage, rows) == {"simulated"}
    assert studies_of_families(lineage.drop(columns="seed"), rows) == set()
    means, kin = over_seeds(rows, lineage)
    assert list(dict.fromkeys(means["model"])) == ["a (x)", "b (x)"]
    assert kin["model"].tolist() == ["a (x)", "b (x)"]
    assert kin["teacher"].tolist()[1] == "a (x)"
    assert (means["n_samples"] == 12).all()
    mine = rows[rows["model"].str.startswith("a")]
    centred = mine["log_cost"] - mine.groupby("model")["log_cost"].transform("mean")
    expected = centred.groupby(mine["item"]).mean()
    shown = means[means["model"] == "a (x)"].set_index("item")["log_cost"]
    assert shown.to_numpy() == pytest.approx(expected[shown.index].to_numpy())
    assert means["noise"].iloc[0] == pytest.approx(mine.groupby("item")["noise"].sum().iloc[0] / 16)


def test_a_seed_that_lacks_an_item_does_not_shift_it():
    costs, norms, lineage = family(noise=0.0, samples=1)
    whole = over_seeds(item_rows(join(costs, norms)), lineage)[0]
    less = costs.drop(costs[(costs["model"] == "a-s3") & (costs["item"] == "i7")].index)
    part = over_seeds(item_rows(join(less, norms)), lineage)[0]
    one, other = (t[(t["model"] == "a (x)")].set_index("item")["log_cost"] for t in (whole, part))
    assert abs(one["i7"] - other["i7"]) < 0.05


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000), st.integers(3, 30), st.integers(3, 30))
def test_r_lies_between_those_of_the_tasks(seed, first, second):
    rng = np.random.default_rng(seed)
    unknown = np.full(2, np.nan)
    tasks = tuple(
        Task(name, rng.normal(size=(n, 2)), np.full((n, 2), np.nan), unknown)
        for name, n in (("t0", first), ("t1", second))
    )
    prints = Fingerprints("s", ("a", "b"), tasks)
    alone = [one_pair(Fingerprints("s", prints.names, (task,)))["r"] for task in tasks]
    r = one_pair(prints)["r"]
    assert min(alone) - 1e-9 <= r <= max(alone) + 1e-9
    assert one_pair(prints, B, A)["r"] == pytest.approx(r)


def test_the_item_bootstrap_covers():
    """1,000 studies of two tasks with known similarity of a student with its base and its teacher."""
    rng, hits, runs = np.random.default_rng(0), 0, 1_000
    loadings = np.linalg.cholesky([[1, 0.7, 0.45], [0.7, 1, 0.5], [0.45, 0.5, 1]])
    empty = np.full(4, np.nan)
    for run in range(runs):
        tasks = [
            Task(name, np.hstack([rng.normal(size=(n, 3)) @ loadings.T, rng.normal(size=(n, 1))]), empty[None].repeat(n, 0), empty)
            for name, n in (("t0", 60), ("t1", 40))
        ]  # fmt: skip
        prints = Fingerprints("s", ("student", "base", "teacher", "people"), tuple(tasks))
        draws = pair_draws(prints, np.array([0, 0]), np.array([1, 2]), 300, seed=run)
        interval = percentile_interval(draws[:, 0] - draws[:, 1])
        hits += interval.low <= 0.25 <= interval.high
    low, high = proportion_interval(int(hits), runs, 0.99)
    assert low <= 0.95 <= high


def test_recorded_repeats_give_reliabilities():
    one = recorded.load_study("gpqa-minutes")
    joined = join(one.costs, one.norms)
    prints = fingerprints(item_rows(joined, one.costs), one.reliability, one.measure)
    assert prints.names[-1] == "self-reported solving time"
    values = prints.tasks[0].reliability
    assert (values[:-1] > 0.8).all()
    assert values[-1] == pytest.approx(one.reliability["reliability"].iloc[0])
