"""Against a real server: ``transformers serve`` with a tiny random model, some of it behind a faulty proxy."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from importlib.util import find_spec
from pathlib import Path

import pytest
from tests.traces.faulty_server import RESETTABLE, FaultyServer
from tests.traces.tiny import random_model, tokenizer

from handan.traces import Decoding, EngineError, Request
from handan.traces.models import resolve
from handan.traces.openai_engine import OpenAIEngine
from handan.traces.retry import Backoff

NEEDED = ("httpx2", "fastapi", "uvicorn", "openai", "torch", "transformers")
ABSENT = [name for name in NEEDED if find_spec(name) is None]
pytestmark = pytest.mark.skipif(
    bool(ABSENT), reason=f"a real server needs {', '.join(ABSENT)}: transformers[serving]"
)

TEMPLATE = "{% for message in messages %}{{ message['content'] }}\n{% endfor %}"
QUICK = Backoff(30, 60.0, 0.01, 0.05)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return random_model(
        tmp_path_factory.mktemp("serve") / "kitten", chat_template=TEMPLATE, architecture="llama", seed=3
    )


def answers(address):
    try:
        urllib.request.urlopen(address).close()
    except OSError:
        return False
    return True


@pytest.fixture(scope="module")
def served(folder):
    """Address of the server, up to ``/v1``."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["serve", str(folder), "--device", "cpu", "--host", "127.0.0.1", "--port", str(port)]
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "NO_PROXY": "127.0.0.1"}
    process = subprocess.Popen(
        [Path(sys.executable).with_name("transformers"), *command],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while not answers(f"http://127.0.0.1:{port}/health"):
            assert process.poll() is None, "the server did not start"
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")


def make(folder, count, decoding):
    model = resolve(str(folder))
    given = {"model": model.name, "model_id": model.model_id, "revision": "unknown", "template": "server"}
    given |= {"task": "digit-addition", "dtype": "server", "decoding": decoding}
    return [Request(item=f"i{n}", sample=0, prompt="7" * n + f"+{n}=", **given) for n in range(count)]


def run(url, folder, requests, **options):
    options = {"api_key_env": None, "backoff": QUICK, "concurrency": 2, "timeout": 60.0} | options
    with OpenAIEngine(resolve(str(folder)), base_url=url, **options) as engine:
        return {one.key: one for one in engine.complete(requests)}


@pytest.fixture(scope="module")
def alone(folder):
    """Prompt length and ids that the model generates for a request, without any server."""
    import torch
    from transformers import AutoModelForCausalLM

    model, reader = AutoModelForCausalLM.from_pretrained(folder), tokenizer()

    def generate(request):
        ids = reader(request.prompt + "\n", return_tensors="pt").input_ids
        with torch.no_grad():
            out = model.generate(ids, do_sample=False, max_new_tokens=request.decoding.max_new_tokens)
        return ids.shape[1], out[0, ids.shape[1] :].tolist()

    return generate


@pytest.mark.parametrize("stream", [False, True])
def test_counts_are_those_of_the_model_itself(served, folder, alone, stream):
    requests = make(folder, 5, Decoding(max_new_tokens=48, temperature=0))
    found = run(served, folder, requests, stream=stream)
    assert set(found) == {one.key for one in requests}
    for request in requests:
        prompt, generated = alone(request)
        reply = found[request.key]
        assert (reply.prompt_tokens, reply.output_tokens, reply.error) == (prompt, len(generated), None)
        assert reply.stop == ("length" if len(generated) == 48 else "stop")
        # The server leaves special tokens out of the text.
        assert reply.text == tokenizer().decode(generated, skip_special_tokens=True)


def test_a_sample_is_the_same_whenever_it_is_asked_for(served, folder):
    requests = make(folder, 3, Decoding(max_new_tokens=24, temperature=1.0, top_p=1.0))
    once, again = (run(served, folder, requests, concurrency=1) for _ in range(2))
    assert [once[one.key].text for one in requests] == [again[one.key].text for one in requests]
    assert len({one.text for one in once.values()}) == 3


def test_nothing_is_lost_or_doubled_behind_a_faulty_proxy(served, folder):
    requests = make(folder, 12, Decoding(max_new_tokens=8, temperature=0))
    plain = run(served, folder, requests)
    faults = [fault for fault in RESETTABLE for _ in range(2)]
    with FaultyServer(faults, upstream=served) as proxy:
        found = run(proxy.url, folder, requests, concurrency=4)
    assert set(found) == {one.key for one in requests}
    assert all(one.stop in ("stop", "length") for one in found.values())
    assert {key: one.text for key, one in found.items()} == {key: one.text for key, one in plain.items()}
    assert sum(one.attempt for one in found.values()) == len(proxy.seen) == len(requests) + len(faults)


def test_a_setting_that_the_server_does_not_know_ends_the_run(served, folder):
    with pytest.raises(EngineError, match="does not take top_k=5"):
        run(served, folder, make(folder, 2, Decoding(max_new_tokens=8, top_k=5)))
