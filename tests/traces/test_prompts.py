import itertools
from dataclasses import replace

import pytest

from handan.norms import load_bank, task, tasks
from handan.traces import Decoding, Model, RequestError, problems, requests
from handan.traces.prompts import chat_renderer, problem_text

MODEL = Model("m", "org/m", "org/m", "c" * 40)
CODER = Model("t", "local:t", "/t", "d" * 40, prompt="code")


def test_every_item_that_has_a_prompt_can_be_asked():
    asked = [name for name in tasks() if task(name).has_prompt]
    items = problems(asked)
    assert len(items) == len(load_bank(asked)) == len(set(items))
    made = requests(MODEL, items, Decoding(), dtype="float32")
    assert len({request.key for request in made}) == len(made)
    assert all(request.prompt == task(request.task).prompt(request.item) for request in made)


@pytest.mark.parametrize("limit", [1, 7, 64, 100, 10_000])
def test_a_limit_spreads_over_the_task(limit):
    items = [item for _, item in problems(["binary-subtraction"], limit=limit)]
    every = load_bank(["binary-subtraction"])["item"].tolist()
    assert len(items) == min(limit, len(every)) == len(set(items))
    assert sorted(items, key=every.index) == items
    gaps = [every.index(b) - every.index(a) for a, b in itertools.pairwise(items)]
    assert not gaps or max(gaps) - min(gaps) <= 1


@pytest.mark.parametrize(
    ("names", "limit", "says"),
    [(["arc"], None, "norms only"), (["syllogisms"] * 2, None, "twice"), (["syllogisms"], 0, "at least 1")],
)
def test_what_cannot_be_asked_is_said(names, limit, says):
    with pytest.raises(RequestError, match=says):
        problems(names, limit=limit)


def test_a_model_that_reads_codes_gets_the_code():
    assert problem_text("binary-addition", "1010+0110", "code") == "binary-addition 1010+0110\n"
    made = requests(CODER, [("binary-addition", "1010+0110")], Decoding(), dtype="float32")
    assert made[0].prompt == "binary-addition 1010+0110\n"


def test_a_model_is_asked_in_no_other_style():
    with pytest.raises(RequestError, match="a prompt is wording or code, not 'cod'"):
        problem_text("binary-addition", "1010+0110", "cod")
    stranger = replace(CODER, prompt="cod")
    with pytest.raises(RequestError, match="'cod'"):
        requests(stranger, [("binary-addition", "1010+0110")], Decoding(), dtype="float32")


def test_samples_differ_in_their_key_only():
    made = requests(MODEL, problems(["syllogisms"]), Decoding(), samples=3, dtype="float32")
    assert len(made) == 3 * 64 == len({request.key for request in made})
    assert {request.sample for request in made} == {0, 1, 2}
    # All first samples come first, so that an interrupted run holds whole passes.
    assert [request.sample for request in made] == sorted(request.sample for request in made)


def test_more_samples_keep_the_keys_of_the_first():
    one, three = (requests(MODEL, problems(["syllogisms"]), Decoding(), samples=n, dtype="f") for n in (1, 3))
    assert {request.key for request in one} < {request.key for request in three}


@pytest.mark.parametrize(("samples", "temperature", "says"), [(0, 0.6, "at least 1"), (2, 0, "same")])
def test_senseless_samples_are_refused(samples, temperature, says):
    with pytest.raises(RequestError, match=says):
        requests(
            MODEL, problems(["syllogisms"]), Decoding(temperature=temperature), samples=samples, dtype="f"
        )


def test_no_item_is_refused():
    with pytest.raises(RequestError, match="no item"):
        requests(MODEL, [], Decoding(), dtype="f")


class Chatty:
    chat_template = "a template"

    def apply_chat_template(self, messages, **options):
        assert options["tokenize"] is False
        return f"<user>{messages[0]['content']}<assistant>"


def test_a_chat_template_is_applied_and_hashed():
    render, name = chat_renderer(Chatty())
    assert render("hi") == "<user>hi<assistant>"
    assert len(name) == 16
    other = Chatty()
    other.chat_template = "another"
    assert chat_renderer(other)[1] != name


def test_without_a_chat_template_the_prompt_is_plain_text():
    render, name = chat_renderer(type("Plain", (), {"chat_template": None})())
    assert (render("hi"), render("code\n"), name) == ("hi\n\n", "code\n", "plain")
