import filecmp
import subprocess
import sys

import pytest

from handan import costs
from handan.tables import check_costs, check_norms

EXPECTED = {  # items, models: as published by the sources
    "pnas-r1": (821, 1),
    "gpqa-minutes": (136, 12),
    "mip-math": (52, 6),
    "mip-gsm8k": (582, 5),
    "pretrained-bases": (1000, 9),
    "pm-bench": (46, 22),
}


def test_the_studies_of_the_design_are_there():
    assert costs.studies() == list(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_study_is_complete_and_passes_its_checks(name):
    study = costs.load_study(name)
    assert (len(study.norms), study.costs["model"].nunique()) == EXPECTED[name]
    check_norms(study.norms)
    check_costs(study.costs)
    assert set(study.costs["task"]) == set(study.norms["task"]) == set(study.reliability["task"])
    assert set(study.costs["item"]) <= set(study.norms["item"])
    assert study.reliability["method"].notna().all()


@pytest.mark.parametrize("name", EXPECTED)
def test_only_measured_times_are_called_human_response_times(name):
    study = costs.load_study(name)
    assert (study.measure == "human response time") == (name == "pnas-r1")
    assert study.is_timed == (name in ("pnas-r1", "gpqa-minutes"))
    assert study.norms["log_rt"].notna().any() != study.norms["difficulty"].notna().any()


@pytest.mark.parametrize("name", EXPECTED)
def test_a_card_says_where_the_numbers_come_from_and_what_they_cannot_say(name):
    card = costs.card(name)
    for field in ("repository", "commit", "licence", "cite", "people", "difficulty", "tokens"):
        assert card[field].strip(), field
    assert len(card["caveats"]) >= 3
    assert all(len(digest) == 64 for digest in card["inputs"].values())


def test_models_without_tags_are_counted_whole_and_a_lost_trace_stays_empty():
    gsm8k = costs.load_study("mip-gsm8k").costs
    baseline = gsm8k[gsm8k["model"] == "Qwen2.5-32B-Instruct"]
    assert (baseline["reasoning_tokens"] == baseline["output_tokens"]).all()
    assert baseline["answer_tokens"].isna().all()
    tagged = gsm8k[gsm8k["answer_tokens"].notna()]
    assert (tagged["reasoning_tokens"] < tagged["output_tokens"]).all()
    lost = gsm8k[gsm8k["reasoning_tokens"].isna()]
    assert lost["model"].tolist() == ["DeepSeek-R1"]


def test_cut_traces_are_flagged_where_the_source_says_so():
    bench = costs.load_study("pm-bench").costs
    share = (bench["stop"] == "length").groupby(bench["model"]).mean()
    assert share[share > 0].index.tolist() == ["QwQ-32B@nosteps-8k", "QwQ-32B@steps-8k"]
    assert share.max() == pytest.approx(17 / 46)


def test_a_question_in_two_parts_of_gpqa_is_one_item_with_samples():
    gpqa = costs.load_study("gpqa-minutes").costs
    one = gpqa[gpqa["model"] == "QwQ-32B"]
    assert len(one) == 286
    assert one["item"].nunique() == 136
    assert one["sample"].max() >= 1


def test_an_unknown_study_lists_those_there_are():
    with pytest.raises(LookupError, match="there are: pnas-r1, gpqa-minutes"):
        costs.load_study("pnas")
    with pytest.raises(LookupError, match="there are"):
        costs.card("pnas")


@pytest.mark.shared
def test_the_script_derives_the_packaged_tables_to_the_last_digit(root, raw, tmp_path):
    script = root / "scripts/derive_costs.py"
    subprocess.run([sys.executable, script, raw, "--out", tmp_path], check=True)
    packaged = root / "src/handan/data/costs"
    made = sorted(path.name for path in tmp_path.iterdir())
    assert made == sorted(path.name for path in packaged.iterdir() if path.name != "sources.toml")
    for name in made:
        assert filecmp.cmp(tmp_path / name, packaged / name, shallow=False), name


def test_the_script_says_what_is_missing(root, tmp_path):
    script = root / "scripts/derive_costs.py"
    done = subprocess.run([sys.executable, script, tmp_path], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "no folder 'costs'" in done.stderr
