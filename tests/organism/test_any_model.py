"""Reinforcing and distilling a random model of a real architecture: a few steps, on a CPU."""

import hashlib
import json
import signal
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("trl", reason="the extra train is not installed")

from tests.traces.tiny import random_model

from handan import cli_recipes, norms
from handan.cli_errors import guarded
from handan.organism import any_data, any_folder, any_lesson, any_model, any_run
from handan.organism.any_data import HELD_OUT, TRAINED
from handan.organism.any_model import Options
from handan.organism.recipe import Reinforced, Supervised
from handan.traces import models, prompts, rows
from handan.traces.errors import EngineError, RequestError
from handan.traces.loading import load_tokenizer
from handan.traces.request import Completion, Decoding
from handan.traces.store import Store

CHAT = (
    "{% for message in messages %}[{{ message.role }}] {{ message.content }}\n{% endfor %}"
    "{% if add_generation_prompt %}[assistant] {% endif %}"
)
PREFILLED = CHAT.replace("[assistant] {%", "[assistant] <think>\n{%")
TASK = "binary-addition"
REWARD = Reinforced(steps=3, prompts=2, group=3, rate=1e-2, warmup=1, max_new_tokens=40, price=0.01)
TEXTS = Supervised(steps=3, batch=4, rate=1e-2, warmup=1)
FEW = Options(save_every=2, at_once=3)


@pytest.fixture(scope="module")
def student(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "student"
    return random_model(folder, layers=1, hidden=16, spread=0.1, chat_template=CHAT)


@pytest.fixture(scope="module")
def items():
    return any_data.parts([TASK], 0.5, 0)


@pytest.fixture(scope="module")
def teacher(tmp_path_factory, items):
    """A store with a right trace of every item."""
    folder = tmp_path_factory.mktemp("traces") / "teacher"
    fill(folder, [(item, thinking(item), "stop") for item in items["item"]])
    return folder


def thinking(item, answer=None, opened="<think>", closed="</think>"):
    answer = norms.task(TASK).answer(item) if answer is None else answer
    return f"{opened}column by column{closed}\nAnswer: {answer}"


def fill(folder, traces, tags=("<think>", "</think>")):
    model = models.Model("teacher", "some/teacher", "some/teacher", "0" * 40, *tags)
    with Store.open(folder) as store:
        store.add_run(
            {"requests": [], "model": {"name": "teacher", "think_open": tags[0], "think_close": tags[1]}}
        )
        for item, text, stop in traces:
            (request,) = prompts.requests(model, [(TASK, item)], Decoding(), dtype="float32")
            store.add(rows.row(request, Completion(request.key, text, stop), "made up"))


def learner(folder):
    model = models.resolve(str(folder))
    return any_data.Learner(model, load_tokenizer(model))


def weights(folder):
    from safetensors.numpy import load_file

    return load_file(folder / "model.safetensors")


@pytest.fixture
def command(monkeypatch, capsys):
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(cli_recipes.reinforce)
    app.command()(cli_recipes.distil)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["train", *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            guarded(app)
        captured = capsys.readouterr()
        return caught.value.code or 0, captured.out, captured.err

    return run


# --- the commands ---


def test_reinforcing_leaves_a_folder_that_can_be_asked(student, tmp_path, command, handan):
    out = tmp_path / "reinforced"
    arguments = [
        "reinforce",
        student,
        "--task",
        TASK,
        "--out",
        out,
        "--steps",
        3,
        "--prompts",
        2,
        "--group",
        3,
    ]
    arguments += ["--max-new-tokens", 40, "--learning-rate", 0.01, "--price", 0.01]
    code, said, told = command(*arguments)
    assert code == 0, told
    assert f"the model is in {out}" in said
    assert [line.split("  ")[0] for line in told.splitlines()] == ["note: step"] * 3
    record = json.loads((out / "training.json").read_text())
    assert [one["step"] for one in record["log"]] == [1, 2, 3]
    assert set(record["log"][0]) == {"step", "reward", "right", "tokens_each"}
    assert record["settings"]["revision"] == models.resolve(str(student)).revision
    digest = hashlib.sha256((out / "model.safetensors").read_bytes()).hexdigest()
    assert record["sha256"] == {"model.safetensors": digest}
    assert {"torch", "trl", "transformers", "python"} <= set(record["versions"])
    assert not (out / "checkpoints").exists()
    assert str(student) not in "".join(path.read_text() for path in out.glob("*.json"))
    before, after = weights(student), weights(out)
    assert before.keys() == after.keys()
    assert any(not np.array_equal(before[name], after[name]) for name in before)
    asked = ["traces", out, "--task", TASK, "--limit", 2, "--max-new-tokens", 4, "--out", tmp_path / "store"]
    assert handan(*asked)[0] == 0
    with Store.open(tmp_path / "store", writable=False) as store:
        assert store.read(["model"])["model"].tolist() == ["reinforced"] * 2
    code, said, _ = command(*arguments)
    assert (code, said.splitlines()[-1]) == (0, f"nothing to do: {out} holds this very model")


def test_distilling_leaves_a_student_that_thinks_between_its_own_tags(student, teacher, tmp_path, command):
    out = tmp_path / "distilled"
    code, said, told = command(
        "distil", student, teacher, "--out", out, "--steps", 20, "--batch", 4, "--learning-rate", 0.01
    )
    assert code == 0, told
    record = json.loads((out / "training.json").read_text())
    assert record["settings"]["teachers"] == {"teacher": int((items_in(out) == TRAINED).sum())}
    assert record["log"][-1]["loss"] < record["log"][0]["loss"] - 1
    assert models.resolve(str(out)).think_close == "</think>"
    assert "of items that are held out" in said


def items_in(folder):
    return pd.read_csv(folder / "items.csv", dtype=str)["part"]


def test_a_dry_run_says_all_and_writes_nothing(student, teacher, tmp_path, command, items):
    counts = items["part"].value_counts()
    for words in (["reinforce", student, "--task", TASK], ["distil", student, teacher]):
        out = tmp_path / "new"
        code, said, told = command(*words, "--out", out, "--dry-run", "--format", "json")
        assert (code, told) == (0, "")
        plan = {line["what"]: line for line in json.loads(said)}
        size = sum(one.size for one in weights(student).values())
        assert plan["parameters"]["value"] == f"{size:,} of {size:,}"
        assert plan["items"]["value"] == f"{counts[TRAINED]} to train on, {counts[HELD_OUT]} held out"
        assert plan["device"]["how"].startswith("weights in 32 bits")
        assert not out.exists()


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["reinforce", "STUDENT", "--task", "binary-adition"], "Did you mean 'binary-addition'?"),
        (["reinforce", "STUDENT", "--task", TASK, "--held-out", 1], "must be in [0, 1), not 1"),
        (["reinforce", "STUDENT", "--task", TASK, "--learning-rate", 0], "a learning rate above 0"),
        (["reinforce", "nowhere", "--task", TASK], "neither a folder nor a hub id"),
        (["reinforce", "STUDENT"], "name a task to train on"),
        (["reinforce", "STUDENT", "--task", TASK], "name the folder of the new model"),
        (["distil", "STUDENT", "/no/such/store"], "there is no folder /no/such/store"),
        (["distil", "STUDENT", "TEACHER", "--hard", 0], "--hard is a share of items"),
        (["distil", "STUDENT", "TEACHER", "--max-tokens", 20], "no trace is left to learn from"),
    ],
)
def test_what_cannot_be_done_is_said(student, teacher, command, words, complaint):
    found = {"STUDENT": student, "TEACHER": teacher}
    code, _, told = command(*[found.get(word, word) for word in words])
    assert code == 2
    assert complaint in " ".join(told.replace("│", " ").split())


# --- going on, and not going on ---


@pytest.mark.parametrize("kind", ["reinforce", "distil"])
def test_an_interrupted_training_goes_on_to_the_same_weights(student, teacher, tmp_path, kind):
    options = Options(save_every=100, at_once=3)
    if kind == "reinforce":
        job = any_model.reinforcement(str(student), [TASK], replace(REWARD, steps=4), options)
    else:
        job = any_model.distillation(str(student), [teacher], replace(TEXTS, steps=4), options)
    interrupted, whole = tmp_path / "interrupted", tmp_path / "whole"

    def interrupt(progress):
        if progress.step == 1:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        any_model.train(job, interrupted, interrupt)
    assert any_folder.latest(interrupted / "checkpoints").name == "checkpoint-2"
    assert not (interrupted / "config.json").exists()
    steps = []
    assert any_model.train(job, interrupted, lambda progress: steps.append(progress.step))
    assert steps == [3, 4]
    assert any_model.train(job, whole)
    records = [json.loads((folder / "training.json").read_text()) for folder in (interrupted, whole)]
    assert records[0] == records[1]
    ours, theirs, first = weights(interrupted), weights(whole), weights(student)
    assert any(not np.array_equal(first[name], theirs[name]) for name in first)
    assert all(np.array_equal(ours[name], theirs[name]) for name in theirs)


def test_a_second_interruption_does_not_wait(student, tmp_path):
    job = any_model.reinforcement(str(student), [TASK], REWARD, FEW)
    steps = []

    def interrupt_twice(progress):
        steps.append(progress.step)
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        any_model.train(job, tmp_path / "new", interrupt_twice)
    assert steps == [1]
    assert any_folder.latest(tmp_path / "new/checkpoints") is None
    assert signal.getsignal(signal.SIGINT) is before


def test_a_folder_belongs_to_one_training(student, tmp_path):
    job = any_model.reinforcement(str(student), [TASK], replace(REWARD, steps=1), FEW)
    out = tmp_path / "model"
    assert any_model.train(job, out)
    assert not any_model.train(job, out)
    assert any_model.plan(job, out)["value"].iloc[-1] == "nothing"
    dearer = any_model.reinforcement(str(student), [TASK], replace(REWARD, steps=1, price=0.5), FEW)
    with pytest.raises(RequestError, match=r"price is 0\.01 there and 0\.5 here"):
        any_model.plan(dearer, out)
    with pytest.raises(RequestError, match=r"price is 0\.01 there and 0\.5 here"):
        any_model.train(dearer, out)


def test_a_folder_of_somebody_else_is_left_alone(student, tmp_path):
    job = any_model.reinforcement(str(student), [TASK], REWARD, FEW)
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(RequestError, match="is not empty, and holds no training"):
        any_model.train(job, tmp_path)
    with pytest.raises(RequestError, match="is a file"):
        any_model.train(job, tmp_path / "notes.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_two_trainings_at_a_time_do_not_share_a_folder(tmp_path):
    first, second = (any_folder.reserved(tmp_path, {"a": 1}) for _ in range(2))
    with first, pytest.raises(RequestError, match="another training goes on"):
        second.__enter__()


def test_a_checkpoint_that_was_not_written_to_its_end_does_not_count(tmp_path):
    for number in (9, 10, 11):
        (tmp_path / f"checkpoint-{number}").mkdir()
        if number < 11:
            (tmp_path / f"checkpoint-{number}/trainer_state.json").write_text("{}")
    assert any_folder.latest(tmp_path).name == "checkpoint-10"


def test_a_lack_of_memory_is_said_with_a_way_out(student, tmp_path, monkeypatch):
    import torch

    def burst(*_, **__):
        raise torch.OutOfMemoryError("CUDA out of memory")

    job = any_model.reinforcement(str(student), [TASK], REWARD, FEW)
    monkeypatch.setattr(any_data.Learner, "is_right", burst)
    with pytest.raises(EngineError, match="take a smaller --at-once than 3"):
        any_model.train(job, tmp_path / "new")


def test_adapters_are_merged_into_a_whole_model(student, teacher, tmp_path):
    job = any_model.distillation(str(student), [teacher], TEXTS, replace(FEW, lora=2))
    try:
        import peft  # noqa: F401
    except ImportError:
        with pytest.raises(RequestError, match="pip install peft"):
            any_model.plan(job)
        with pytest.raises(RequestError, match="pip install peft"):
            any_model.train(job, tmp_path / "new")
        return
    plan = any_model.plan(job).set_index("what")["value"]
    assert any_model.train(job, tmp_path / "new")
    trained, every = plan["parameters"].split(" of ")
    before, after = weights(student), weights(tmp_path / "new")
    assert int(trained.replace(",", "")) < 0.5 * int(every.replace(",", ""))
    assert before.keys() == after.keys()
    changed = {name for name in before if not np.array_equal(before[name], after[name])}
    assert changed
    assert all("proj" in name for name in changed)


# --- what is learned from ---


def test_only_right_finished_traces_of_trained_items_are_learned_from(student, tmp_path, items):
    trained, held = (items.loc[items["part"] == part, "item"].tolist() for part in (TRAINED, HELD_OUT))
    fill(
        tmp_path / "store",
        [
            (trained[0], thinking(trained[0]), "stop"),
            (trained[1], thinking(trained[1], "0"), "stop"),
            (trained[2], thinking(trained[2]), "length"),
            (trained[3], "<think>I stop here.<eos>" + thinking(trained[3])[7:], "stop"),
            (trained[4], "<think>" + "so " * 2000 + thinking(trained[4])[7:], "stop"),
            (held[0], thinking(held[0]), "stop"),
        ],
    )
    one = any_lesson.as_student(learner(student))
    found = any_lesson.collect(one, [tmp_path / "store"], items)
    assert found.counts == {
        any_lesson.USED: 1,
        any_lesson.WRONG: 1,
        any_lesson.CUT: 1,
        any_lesson.CONTROL: 1,
        any_lesson.LONG: 1,
        any_lesson.OTHER: 1,
    }
    ((asked, told),) = found.rows
    text = norms.task(TASK).prompt(trained[0])
    assert one.tokenizer.decode(asked) == f"[user] {text}\n[assistant] "
    assert one.tokenizer.decode(told) == f"{thinking(trained[0])}<eos>"
    assert one.is_right(TASK, trained[0], told)
    loose = any_lesson.collect(one, [tmp_path / "store"], items, only_correct=False)
    assert loose.counts[any_lesson.USED] == 2


def test_a_store_without_a_right_trace_is_refused_with_what_became_of_them(student, tmp_path, items):
    trained = items.loc[items["part"] == TRAINED, "item"]
    fill(tmp_path / "store", [(item, thinking(item, "0"), "stop") for item in trained[:3]])
    with pytest.raises(RequestError, match="Of 3 traces there are: 3 that are wrong"):
        any_model.distillation(str(student), [tmp_path / "store"], TEXTS, FEW)


@pytest.mark.parametrize(("template", "start"), [(CHAT, "<think>column"), (PREFILLED, "column")])
def test_tags_of_the_teacher_become_those_of_the_student(tmp_path, items, template, start):
    folder = random_model(tmp_path / "model", layers=1, hidden=16, chat_template=template)
    item = items.loc[items["part"] == TRAINED, "item"].iloc[0]
    fill(tmp_path / "store", [(item, thinking(item, None, "<r>", "</r>"), "stop")], ("<r>", "</r>"))
    one = any_lesson.as_student(learner(folder))
    ((_, told),) = any_lesson.collect(one, [tmp_path / "store"], items).rows
    assert one.tokenizer.decode(told).startswith(start)
    assert "<r>" not in one.tokenizer.decode(told)
    assert told.count(one.decoder.single("</think>")) == 1
    assert one.is_right(TASK, item, told)


def test_the_hardest_items_are_those_on_which_people_take_longest(student, teacher, items):
    one = any_lesson.as_student(learner(student))
    found = any_lesson.collect(one, [teacher], items, hard=0.25)
    trained = items[items["part"] == TRAINED]
    assert found.counts[any_lesson.USED] == int(0.25 * len(trained))
    times = norms.load_bank([TASK]).set_index("item")["log_rt"]
    hard = any_data.hardest(trained, 0.25)["item"]
    assert times[hard].min() >= times[trained["item"]].drop(hard).max()


def test_as_many_traces_are_drawn_as_asked_for(student, teacher, items):
    one = any_lesson.as_student(learner(student))
    found, again = (any_lesson.collect(one, [teacher], items, most=5, seed=3).rows for _ in range(2))
    assert found == again
    assert len(found) == 5
    assert found != any_lesson.collect(one, [teacher], items, most=5, seed=4).rows


def test_a_reply_is_judged_behind_the_last_closing_tag(student):
    one = learner(student)

    def judged(text, stop=(1,)):
        return one.is_right(TASK, "1010+0110", [*one.tokenizer(text)["input_ids"], *stop])

    assert norms.task(TASK).answer("1010+0110") == "10000"
    assert judged("<think>hm</think>Answer: 10000")
    assert judged("Answer: 10000")
    assert judged("<think>Answer: 1</think>Answer: 10000", ())
    assert not judged("<think>Answer: 10000</think>")
    assert not judged("<think>Answer: 10000</think>Answer: 1")
    assert not judged("<think>Answer: 10000")
    assert not judged("")


# --- who is tested on what ---


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 10**6), share=st.floats(0.2, 0.8))
def test_an_item_falls_where_its_problem_falls_whatever_else_is_asked(seed, share):
    alone = any_data.parts([TASK], share, seed)
    among = any_data.parts(["syllogisms", TASK, "binary-subtraction"], share, seed)
    pd.testing.assert_frame_equal(alone, among[among["task"] == TASK].reset_index(drop=True))
    side = dict(zip(alone["item"], alone["part"], strict=True))
    swapped = {item: side.get("+".join(reversed(item.split("+")))) for item in side}
    assert all(side[item] == other for item, other in swapped.items() if other)
    minus = among[among["task"] == "binary-subtraction"]
    for item, part in zip(minus["item"], minus["part"], strict=True):
        assert side.get(item.replace("-", "+"), part) == part
    assert abs((among["part"] == HELD_OUT).mean() - share) < 0.25


@given(count=st.integers(1, 30), wanted=st.integers(1, 100), seed=st.integers(0, 1000))
@settings(deadline=None)
def test_each_comes_once_before_any_comes_again(count, wanted, seed):
    places = any_data.rounds(count, wanted, seed)
    assert len(places) == wanted
    for start in range(0, wanted, count):
        turn = places[start : start + count].tolist()
        assert len(set(turn)) == len(turn)
        assert set(turn) <= set(range(count))


def test_nothing_held_out_trains_on_all(items):
    assert (any_data.parts([TASK], 0.0, 0)["part"] == TRAINED).all()
    assert len(items) == len(norms.load_bank([TASK]))


def test_weights_that_are_trained_stay_in_32_bits():
    assert any_run.precision("cpu", False)[:2] == ("float32", {"bf16": False, "fp16": False})
    assert any_run.precision("cpu", True)[0] == "float32"
