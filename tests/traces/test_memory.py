import pytest
from tests.traces.tiny import random_model

from handan.traces import memory
from handan.traces.memory import free_bytes, guess_batch, out_of_memory

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(random_model(tmp_path_factory.mktemp("models") / "random"))


def test_memory_ran_out():
    assert out_of_memory(MemoryError())
    assert out_of_memory(torch.OutOfMemoryError("CUDA out of memory"))
    assert out_of_memory(RuntimeError("MPS backend out of memory (MPS allocated: 17 GB)"))
    assert out_of_memory(
        RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory")
    )
    assert not out_of_memory(RuntimeError("The size of tensor a (3) must match the size of tensor b (4)"))
    assert not out_of_memory(ValueError("out of memory"))


def test_a_real_allocation_that_fails_is_recognised():
    with pytest.raises(Exception) as caught:
        torch.empty(1 << 55)
    assert out_of_memory(caught.value)


def test_the_first_guess_fits_the_memory(network, monkeypatch):
    # 2 layers x 2 heads x 16 dimensions x keys and values x 4 bytes, for 1000 tokens; logits beside.
    row = 2 * 2 * 16 * 2 * 4 * 1000 + 4 * 6 * 100
    for rows, expected in ((0.5, 1), (5.5, 5), (1e6, 128)):
        monkeypatch.setattr(memory, "free_bytes", lambda device, rows=rows: rows * row / 0.4)
        assert guess_batch(network, "cpu", 1000) == expected
    monkeypatch.setattr(memory, "free_bytes", lambda device: None)
    assert guess_batch(network, "cpu", 1000) == 128


def test_free_memory_is_a_sensible_number():
    found = free_bytes("cpu")
    assert found is None or 1e6 < found < 1e15
