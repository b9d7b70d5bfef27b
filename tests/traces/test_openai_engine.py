import asyncio
import json
import logging
import os
import pickle
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.traces.faulty_server import MODEL, REASONING, RESETTABLE, FaultyServer, answer, reply

from handan.traces import Decoding, EngineError, Request
from handan.traces.engine import Engine
from handan.traces.models import Model
from handan.traces.openai_engine import OpenAIEngine
from handan.traces.retry import Backoff
from handan.traces.rows import row

pytest.importorskip("httpx2")
KITTEN = Model("kitten", MODEL, MODEL, "unknown")
SENTINEL = "sk-sentinel-0123456789-abcdef"
QUICK = Backoff(max_attempts=6, max_wait=5.0, base=0.002, cap=0.01)


def make(count, decoding=None, **changes):
    given = {"model": "kitten", "model_id": MODEL, "revision": "unknown", "template": "server"}
    given |= {"task": "digit-addition", "dtype": "server", "decoding": decoding or Decoding()} | changes
    return [Request(item=f"i{n}", sample=0, prompt=f"question {n}", **given) for n in range(count)]


def engine(server, **options):
    options = {"api_key_env": None, "backoff": QUICK, "timeout": 5.0} | options
    return OpenAIEngine(KITTEN, base_url=server.url, **options)


def run(server, requests, **options):
    with engine(server, **options) as running:
        return list(running.complete(requests))


def collect(stream, found):
    for one in stream:
        found.append(one)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


def test_it_is_an_engine():
    with FaultyServer() as server:
        assert isinstance(engine(server), Engine)


@pytest.mark.parametrize("stream", [False, True])
def test_a_reply_becomes_a_completion(stream):
    (request,) = make(1)
    with FaultyServer() as server:
        (found,) = run(server, [request], stream=stream)
    assert (found.key, found.text, found.reasoning) == (request.key, answer("question 0"), REASONING)
    assert (found.stop, found.finish_reason, found.error, found.attempt) == ("stop", "stop", None, 1)
    assert (found.prompt_tokens, found.output_tokens, found.reasoning_tokens) == (len("question 0"), 12, 7)
    assert 0 < found.seconds < 5
    assert found.token_ids is None
    sent = server.seen[0]
    assert sent.path == "/v1/chat/completions"
    assert sent.body.get("stream", False) is stream
    assert ("stream_options" in sent.body) is stream
    assert "Authorization" not in sent.headers


def test_what_is_sent_is_what_the_request_says():
    decoding = Decoding(max_new_tokens=77, temperature=0.7, top_p=0.9, top_k=20)
    first, second = make(2, decoding)
    with FaultyServer() as server:
        run(server, [first, second], concurrency=1, extra_body={"return_token_ids": True})
    body = server.seen[0].body
    seed, other = body.pop("seed"), server.seen[1].body["seed"]
    assert body == {
        "model": MODEL,
        "messages": [{"role": "user", "content": "question 0"}],
        "max_tokens": 77,
        "temperature": 0.7,
        "top_p": 0.9,
        "top_k": 20,
        "return_token_ids": True,
    }
    assert seed != other
    assert all(0 <= one < 2**31 for one in (seed, other))


def test_greedy_decoding_sends_nothing_that_is_moot():
    with FaultyServer() as server:
        run(server, make(1, Decoding(temperature=0, top_k=5)))
    assert set(server.seen[0].body) == {"model", "messages", "max_tokens", "temperature"}


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    schedule=st.lists(st.sampled_from(("ok", *RESETTABLE)), max_size=25),
    count=st.integers(1, 12),
    concurrency=st.integers(1, 5),
    stream=st.booleans(),
)
def test_whatever_fails_every_request_comes_back_once(schedule, count, concurrency, stream):
    """Each fault hits one try, so with more tries than faults every request must succeed in the end."""
    schedule = [fault for fault in schedule if fault != "rate-limit-ms"]
    requests = make(count)
    patient = Backoff(len(schedule) + 1, max_wait=60.0, base=0.001, cap=0.002)
    with FaultyServer(schedule) as server:
        found = run(server, requests, concurrency=concurrency, backoff=patient, stream=stream)
    assert sorted(one.key for one in found) == sorted(one.key for one in requests)
    prompts = {one.key: one.prompt for one in requests}
    assert all((one.stop, one.text) == ("stop", answer(prompts[one.key])) for one in found)
    assert sum(one.attempt for one in found) == len(server.seen)
    assert server.most_active <= concurrency


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(schedule=st.lists(st.sampled_from(RESETTABLE[2:]), min_size=1, max_size=20), tries=st.integers(1, 3))
def test_requests_that_are_given_up_come_back_as_errors(schedule, tries):
    requests = make(5)
    with FaultyServer(schedule) as server:
        found = run(server, requests, concurrency=3, backoff=Backoff(tries, 60.0, 0.001, 0.002))
    assert sorted(one.key for one in found) == sorted(one.key for one in requests)
    assert sum(one.attempt for one in found) == len(server.seen)
    assert all(one.attempt == tries and "given up after" in one.error for one in found if one.stop == "error")


def test_requests_are_under_way_together_but_not_too_many():
    with FaultyServer(seconds=0.1) as server:
        run(server, make(12), concurrency=4)
    assert server.most_active == 4


@pytest.mark.parametrize(("fault", "least"), [("rate-limit-ms", 0.3), ("rate-limit-date", 0.9)])
def test_the_server_says_how_long_to_wait(fault, least):
    with FaultyServer([fault]) as server:
        (found,) = run(server, make(1))
    assert (found.stop, found.attempt) == ("stop", 2)
    assert server.seen[1].time - server.seen[0].time >= least


def test_a_limit_holds_everyone_back():
    with FaultyServer(["rate-limit-ms"], seconds=0.02) as server:
        run(server, make(8), concurrency=2)
    limited = server.seen[0].time
    later = [one.time - limited for one in server.seen[2:]]
    # The one beside it may be answered, and hand over, before the limit is heard of.
    assert all(pause >= 0.28 for pause in later[1:])


def test_a_server_that_asks_for_too_much_patience_is_given_up():
    with FaultyServer(["rate-limit-for-an-hour"]) as server:
        (found,) = run(server, make(1))
    assert found.stop == "error"
    assert "asked to wait 3600 s" in found.error
    assert len(server.seen) == 1


def test_a_silent_server_is_tried_again():
    with FaultyServer(["slow"]) as server:
        (found,) = run(server, make(1), timeout=0.3)
    assert (found.stop, found.attempt) == ("stop", 2)
    with FaultyServer(["slow"] * 2) as server:
        (found,) = run(server, make(1), timeout=0.3, backoff=Backoff(2, 5.0, 0.001, 0.002))
    assert "was silent for 0.3 s" in found.error


@pytest.mark.parametrize("fault", ["stream-dropped", "stream-cut"])
def test_a_stream_that_breaks_off_is_tried_again(fault):
    with FaultyServer([fault]) as server:
        (found,) = run(server, make(1), stream=True)
    assert (found.text, found.attempt) == (answer("question 0"), 2)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("unauthorized", "key is missing or wrong"),
        ("forbidden", "may not use this model"),
        ("payment", "nothing left to spend"),
        ("quota", "nothing left to spend"),
        ("not-found", "does not exist"),
        ("redirect", "sent to no other address"),
        ("picky-temperature", "does not take temperature=0.6"),
    ],
)
def test_what_no_other_request_would_survive_ends_the_run(fault, words):
    with FaultyServer([fault] * 50) as server, pytest.raises(EngineError, match=words):
        run(server, make(20), concurrency=2)
    assert len(server.seen) <= 4


def test_answers_that_came_before_the_end_are_handed_over():
    found = []
    with FaultyServer(["ok"] * 6 + ["unauthorized"] * 9) as server, engine(server, concurrency=3) as running:
        stream = running.complete(make(20))
        with pytest.raises(EngineError):
            collect(stream, found)
    assert len(found) == 6


def test_a_refused_request_is_a_row_and_is_not_tried_again():
    with FaultyServer(["bad-request"]) as server:
        found = run(server, make(3), concurrency=1)
    assert [one.stop for one in found] == ["error", "stop", "stop"]
    assert "answered 400" in found[0].error
    assert "maximum context length" in found[0].error
    assert len(server.seen) == 3


def test_nobody_there_ends_the_run():
    with FaultyServer() as server:
        pass
    with pytest.raises(EngineError, match="no server answers"):
        run(server, make(5))


@pytest.mark.parametrize(("fault", "spent"), [("picky-limit", "max_tokens"), ("picky-seed", "seed")])
def test_a_parameter_that_is_not_taken_is_spelled_otherwise_from_then_on(fault, spent):
    requests = make(6)
    with FaultyServer([fault] * 50) as server, engine(server, concurrency=2, max_attempts=1) as running:
        found = list(running.complete(requests))
        told = running.settings()
    assert all(one.stop == "stop" for one in found)
    assert sum(one.attempt for one in found) == len(server.seen)
    assert sum(spent in one.body for one in server.seen) <= 2
    assert told["refused"] == [spent]
    assert told["token_limit"] == ("max_completion_tokens" if spent == "max_tokens" else "max_tokens")
    assert told["seed_sent"] is (spent != "seed")


def test_a_server_that_takes_no_limit_at_all_ends_the_run():
    with (
        FaultyServer(["no-limit-at-all"] * 9) as server,
        pytest.raises(EngineError, match="Unknown parameter"),
    ):
        run(server, make(1))
    assert len(server.seen) == 2


def test_foreign_bodies_are_quoted_short_and_harmless():
    with FaultyServer(["long-garbage"] * 9 + ["deep"]) as server:
        found, after = run(server, make(2), concurrency=1, backoff=Backoff(9, 5.0, 0.001, 0.002))
    assert found.stop == "error"
    assert found.error.isprintable()
    assert "\\x1b" in found.error
    assert len(found.error) < 400
    assert (after.stop, after.attempt) == ("stop", 2)


def test_a_reply_that_ended_strangely_is_an_error_that_keeps_its_text():
    with FaultyServer(payload=lambda prompt: reply(prompt, finish_reason="content_filter")) as server:
        (found,) = run(server, make(1))
    assert (found.stop, found.finish_reason) == ("error", "content_filter")
    assert "content_filter" in found.error
    assert found.text == answer("question 0")
    assert found.output_tokens == 12
    assert len(server.seen) == 1


@pytest.mark.parametrize("stream", [False, True])
def test_characters_that_break_lines_or_files_survive(stream):
    odd = "a\u2028b\x85c\x0bd\N{CAT FACE}e\rf"
    message = {"role": "assistant", "content": odd}
    with FaultyServer(payload=lambda prompt: reply(prompt, message=message)) as server:
        (found,) = run(server, make(1), stream=stream)
    assert found.text == odd
    with FaultyServer(payload=lambda prompt: reply(prompt, message={"content": "half \ud83d"})) as server:
        (found,) = run(server, make(1))
    assert found.text == "half \ufffd"


# --- secrets ---


@pytest.mark.parametrize(
    "fault", ["echo", "echo-in-the-reply", "unauthorized", "malformed", "dropped", "server-error"]
)
@pytest.mark.parametrize("stream", [False, True])
def test_the_key_is_sent_and_is_found_nowhere_else(fault, stream, monkeypatch, tmp_path, caplog, capfd):
    monkeypatch.setenv("MY_KEY", SENTINEL)
    caplog.set_level(logging.DEBUG)
    requests = make(3)
    written = []
    with FaultyServer([fault] * 6) as server:
        running = engine(server, api_key_env="MY_KEY", stream=stream)
        try:
            with running:
                for request, found in zip(requests, running.complete(requests), strict=True):
                    written.append(repr(found))
                    written.append(
                        json.dumps(
                            row(next(one for one in requests if one.key == found.key), found, "openai")
                        )
                    )
                    assert request
        except EngineError as error:
            written += [repr(error), str(error), repr(error.__context__), repr(error.__cause__)]
        written += [json.dumps(running.settings()), repr(running), repr(vars(running))]
    assert server.seen[0].headers["Authorization"] == f"Bearer {SENTINEL}"
    written += [caplog.text, *capfd.readouterr()]
    (tmp_path / "all").write_text("\n".join(written))
    everything = (tmp_path / "all").read_text()
    assert len(everything) > 200
    assert SENTINEL not in everything
    assert SENTINEL[:16] not in everything


@pytest.mark.parametrize("fault", ["echo", "echo-in-the-reply", "server-error"])
def test_a_store_never_holds_the_key(fault, monkeypatch, tmp_path, caplog, capfd):
    pytest.importorskip("pyarrow")
    from handan.traces import run as fill
    from handan.traces.store import Store

    monkeypatch.setenv("MY_KEY", SENTINEL)
    caplog.set_level(logging.DEBUG)
    requests = make(8)
    with FaultyServer([fault] * 5) as server, Store.open(tmp_path / "store") as store:
        report = fill(requests, engine(server, api_key_env="MY_KEY"), store)
        assert report.done + report.failed == 8
    with Store.open(tmp_path / "store", create=False, writable=False) as store:
        rows = store.read()
    assert sorted(rows["key"]) == sorted(one.key for one in requests)
    files = [path.read_bytes() for path in (tmp_path / "store").rglob("*") if path.is_file()]
    everything = (
        b"\n".join(files).decode(errors="replace")
        + rows.to_json()
        + caplog.text
        + "".join(capfd.readouterr())
    )
    assert "question 7" in everything
    assert SENTINEL not in everything
    assert SENTINEL[:16] not in everything


def test_the_key_comes_from_the_environment_alone(monkeypatch):
    far = OpenAIEngine(KITTEN, base_url="https://example.org/v1", api_key_env="MY_KEY")
    with pytest.raises(EngineError, match="variable MY_KEY"):
        far.__enter__()
    monkeypatch.setenv("MY_KEY", "two words\N{CAT FACE}")
    with pytest.raises(EngineError, match="MY_KEY holds characters") as raised:
        far.__enter__()
    assert "two words" not in str(raised.value)
    monkeypatch.setenv("MY_KEY", SENTINEL)
    holder = OpenAIEngine(
        KITTEN, base_url="https://example.org/v1", api_key_env="MY_KEY", extra_body={"k": SENTINEL}
    )
    with pytest.raises(EngineError, match="hold the key") as raised:
        holder.__enter__()
    assert SENTINEL not in str(raised.value)
    plain = OpenAIEngine(KITTEN, base_url="http://example.org/v1", api_key_env="MY_KEY")
    with pytest.warns(UserWarning, match="unencrypted to example.org"), plain:
        assert SENTINEL not in repr(vars(plain))


# --- life and death ---


def test_closing_the_iterator_drops_what_is_under_way_at_once():
    schedule = ["ok"] + ["hang"] * 4
    with FaultyServer(schedule) as server, engine(server, concurrency=4, timeout=600) as running:
        stream = running.complete(make(40))
        next(stream)
        while server.active < 4:
            time.sleep(0.01)
        stream.close()
        # The server has let none of them go, so nobody waited for it.
        assert (server.active, len(server.seen)) == (4, 5)
        assert [one.stop for one in running.complete(make(3))] == ["stop"] * 3
        assert len(server.seen) == 8
    assert not [thread for thread in threading.enumerate() if thread.name == "handan-requests"]


def test_an_engine_that_is_not_running_says_so():
    with FaultyServer() as server:
        idle = engine(server)
        with pytest.raises(EngineError, match="not running"):
            next(idle.complete(make(1)))
        with engine(server) as running, pytest.raises(EngineError, match="not other"):
            next(running.complete(make(1, model_id="other")))


def test_an_idle_engine_can_be_sent_to_another_process():
    with FaultyServer() as server, pickle.loads(pickle.dumps(engine(server))) as copy:
        assert [one.stop for one in copy.complete(make(2))] == ["stop"] * 2


def test_it_works_where_a_loop_is_already_running():
    async def notebook():
        with FaultyServer() as server:
            return run(server, make(2))

    # In a thread of its own: a browser test may have left a loop running in this one.
    with ThreadPoolExecutor(1) as thread:
        assert len(thread.submit(asyncio.run, notebook()).result()) == 2


def test_an_interrupt_ends_it_within_seconds(tmp_path):
    script = """
        import sys
        from handan.traces import Decoding, Request
        from handan.traces.models import Model
        from handan.traces.openai_engine import OpenAIEngine
        requests = [Request("m", "k", "unknown", "server", "t", str(n), 0, "q", Decoding(), "server") for n in range(9)]
        with OpenAIEngine(Model("m", "k", "k", "unknown"), base_url=sys.argv[1], timeout=300) as engine:
            for one in engine.complete(requests):
                print(one.stop)
    """
    (tmp_path / "script.py").write_text(textwrap.dedent(script))
    with FaultyServer(["hang"] * 9) as server:
        process = subprocess.Popen(
            [sys.executable, tmp_path / "script.py", server.url],
            stderr=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2] / "src")},
        )
        while not server.seen:
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert b"KeyboardInterrupt" in said
    assert b"never retrieved" not in said
    assert b"was destroyed" not in said


def test_settings_tell_what_was_asked_of_whom():
    with FaultyServer() as server, engine(server, concurrency=3, extra_body={"top_k": -1}) as running:
        list(running.complete(make(2)))
    told = running.settings()
    assert json.loads(json.dumps(told)) == told
    assert told["engine"] == "openai"
    assert told["device"] == "endpoint"
    assert told["host"] == server.url.split("/")[2]
    assert told["models"] == [MODEL]
    assert told["system_fingerprints"] == ["fp_1"]
    assert told["extra_body"] == {"top_k": -1}
    assert running.template.startswith("server-")
    with FaultyServer() as server:
        assert engine(server).template == "server"


@pytest.mark.parametrize(
    "options",
    [
        {"concurrency": 0},
        {"timeout": 0},
        {"backoff": None, "max_attempts": 0},
        {"token_limit": "limit"},
        {"extra_body": {"n": 2}},
        {"extra_body": {"top_k": 20}},
        {"extra_body": {"a": {1, 2}}},
        {"extra_body": {"a": float("nan")}},
    ],
)
def test_settings_that_make_no_sense_are_refused(options):
    with FaultyServer() as server, pytest.raises(EngineError):
        engine(server, **options)
