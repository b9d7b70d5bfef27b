import subprocess
import sys

import pytest

from handan.traces.device import resolve_device, resolve_dtype
from handan.traces.errors import EngineError

torch = pytest.importorskip("torch")


@pytest.fixture
def gpu(monkeypatch):
    """Let this machine look as if it had a GPU of some name and compute capability."""

    def pretend(name, capability):
        empty = torch.empty
        monkeypatch.setattr(torch, "empty", lambda *size, device=None, **more: empty(*size, **more))
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda device=None: name)
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device=None: capability)

    return pretend


def test_a_cpu_computes_in_float32():
    assert resolve_dtype("cpu") == ("float32", "float32: this is a CPU")


@pytest.mark.parametrize(
    ("name", "capability", "dtype", "reason"),
    [
        ("Tesla T4", (7, 5), "float16", "float16: Tesla T4 (compute capability 7.5) has no bfloat16"),
        ("A100", (8, 0), "bfloat16", "bfloat16: A100 (compute capability 8.0) computes in it"),
        ("H100", (9, 0), "bfloat16", "bfloat16: H100 (compute capability 9.0) computes in it"),
    ],
)
def test_a_gpu_computes_in_what_it_can(gpu, name, capability, dtype, reason):
    gpu(name, capability)
    assert resolve_device() == "cuda"
    assert resolve_dtype("auto") == resolve_dtype("cuda:0") == (dtype, reason)


def test_an_old_gpu_refuses_bfloat16_and_takes_the_others(gpu):
    gpu("Tesla T4", (7, 5))
    with pytest.raises(EngineError, match=r"bfloat16 can't be had .*T4"):
        resolve_dtype("cuda", "bfloat16")
    for asked in ("float32", "float16", "int8", "int4"):
        assert resolve_dtype("cuda", asked)[0] == asked


def test_what_was_asked_for_is_taken_and_said():
    name, reason = resolve_dtype("cpu", "bfloat16")
    assert name == "bfloat16"
    assert "asked for" in reason
    assert "this is a CPU" in reason


@pytest.mark.parametrize("asked", ["int8", "int4"])
def test_quantised_weights_need_cuda(asked):
    with pytest.raises(EngineError, match="need a CUDA device"):
        resolve_dtype("cpu", asked)


def test_unknown_formats_and_devices_are_refused():
    with pytest.raises(EngineError, match="no dtype 'half'"):
        resolve_dtype("cpu", "half")
    with pytest.raises(EngineError, match="no device 'abacus'"):
        resolve_device("abacus")


def test_importing_the_engine_is_light():
    names = "cache, decode, device, fallback, loading, memory, network, sampling, transformers_engine"
    code = f"import sys\nfrom handan.traces import {names}\n"
    code += "assert not {'torch', 'transformers'} & set(sys.modules), 'heavy'"
    subprocess.run([sys.executable, "-c", code], check=True)
