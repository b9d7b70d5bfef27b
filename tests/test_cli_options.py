from dataclasses import asdict, dataclass, fields
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from handan.cli_options import taking
from handan.organism import any_job, any_model
from handan.traces import Decoding, RequestError, jobs
from handan.traces.choose import Kind, Options

# What is typed, and what must arrive: never the default, and never the same twice.
DECODING = {
    "max_new_tokens": ("--max-new-tokens 101", 101),
    "temperature": ("--temperature 0.25", 0.25),
    "top_p": ("--top-p 0.75", 0.75),
    "top_k": ("--top-k 102", 102),
    "seed": ("--seed 103", 103),
}
ENGINE = {
    "kind": ("--engine ray", Kind.RAY),
    "dtype": ("--dtype bfloat16", "bfloat16"),
    "device": ("--device cuda:1", "cuda:1"),
    "batch_size": ("--batch-size 104", 104),
    "quantize": ("--quantize 8", 8),
    "attention": ("--attention sdpa", "sdpa"),
    "base_url": ("--base-url http://127.0.0.1:9/v1", "http://127.0.0.1:9/v1"),
    "api_key_env": ("--api-key-env MY_KEY", "MY_KEY"),
    "concurrency": ("--concurrency 105", 105),
    "gpus": ("--gpus 106", 106),
    "actors": ("--actors 107", 107),
    "address": ("--address ray://head:10001", "ray://head:10001"),
    "inner": ("--inner vllm", Kind.VLLM),
}
ASKING = {
    "samples": ("--samples 108", 108),
    "limit": ("--limit 109", 109),
    "revision": ("--revision abc", "abc"),
    "prompt": ("--prompt code", "code"),
    "lineage": ("--lineage mine.csv", Path("mine.csv")),
}
TRAINING = {
    "held_out": ("--held-out 0.25", 0.25),
    "seed": ("--seed 110", 110),
    "revision": ("--revision abc", "abc"),
    "lora": ("--lora 111", 111),
    "at_once": ("--at-once 112", 112),
    "device": ("--device cuda:1", "cuda:1"),
    "save_every": ("--save-every 113", 113),
}


@dataclass(frozen=True)
class _Rest:
    lora: int | None = None


def words(*tables):
    return [word for table in tables for typed, _ in table.values() for word in typed.split()]


def arrived(table):
    return {name: value for name, (_, value) in table.items()}


@pytest.fixture
def caught(monkeypatch):
    """Stop a command where it hands over to the library, and keep what it hands over."""
    found = {}

    def keep(*given, **named):
        found.update(given=given, named=named)
        raise RequestError("caught")

    monkeypatch.setattr(jobs, "prepare", keep)
    monkeypatch.setattr(any_model, "reinforcement", keep)
    monkeypatch.setattr(any_model, "distillation", keep)
    return found


@pytest.mark.parametrize(
    ("kind", "table"), [(Decoding, DECODING), (Options, ENGINE), (any_job.Options, TRAINING)]
)
def test_the_values_here_cover_every_field_and_differ(kind, table):
    assert [one.name for one in fields(kind)] == list(table)
    assert all(arrived(table)[one.name] != one.default for one in fields(kind))
    assert len(set(arrived(table).values())) == len(table)


def test_every_option_of_traces_arrives_where_it_belongs(handan, caught):
    code, _, notes = handan(
        *("traces", "some-model", "--task", "syllogisms", "--task", "game-of-24"),
        *words(DECODING, ENGINE, ASKING),
    )
    assert (code, notes) == (2, "error: caught\n")
    model, tasks, decoding, options = caught["given"]
    assert (model, tasks) == ("some-model", ["syllogisms", "game-of-24"])
    assert asdict(decoding) == arrived(DECODING)
    assert asdict(options) == arrived(ENGINE)
    assert caught["named"] == arrived(ASKING)


@pytest.mark.parametrize("ask", [("reinforce", "m", "--task", "t"), ("distil", "m", "store")])
def test_every_option_of_training_arrives_where_it_belongs(handan, caught, ask):
    handan("train", *ask, "--dry-run", *words(TRAINING))
    (options,) = [one for one in caught["given"] if isinstance(one, any_job.Options)]
    assert asdict(options) == arrived(TRAINING)


def test_what_is_not_given_has_the_default_of_its_class(handan, caught):
    handan("traces", "some-model", "--task", "syllogisms")
    assert caught["given"][2:] == (Decoding(), Options())
    assert caught["named"] == dict(samples=1, limit=None, revision=None, prompt=None, lineage=None)


def test_a_command_of_two_classes_keeps_its_own_options_and_its_help():
    app = typer.Typer()
    got = []

    @app.command()
    @taking(decoding=(Decoding, {"top_k": typer.Option(help="Keeps so many.")}), training=(_Rest, {}))
    def ask(model: str, decoding: Decoding, training: _Rest, loud: bool = False) -> None:
        """Ask a model."""
        got.append((model, decoding, training, loud))

    shown = CliRunner().invoke(app, ["--help"]).output
    assert all(text in shown for text in ("Ask a model.", "--top-k", "Keeps so many.", "--lora", "--loud"))
    assert "--decoding" not in shown
    done = CliRunner().invoke(app, ["m", "--top-k", "5", "--lora", "7", "--loud"])
    assert done.exit_code == 0, done.output
    assert got == [("m", Decoding(top_k=5), _Rest(lora=7), True)]


def test_two_options_of_one_name_are_refused_when_the_command_is_made():
    with pytest.raises(ValueError, match="seed"):

        @taking(decoding=(Decoding, {}), training=(any_job.Options, {}))
        def ask(decoding: Decoding, training: any_job.Options) -> None:
            """Ask."""
