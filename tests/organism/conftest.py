import pytest
from tests.organism.tiny import CHAIN, TINY

from handan.organism.tokenizer import build


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    """More threads than free cores make a model of this size a hundred times slower."""
    from handan.organism.family import torch_threads

    with torch_threads(1):
        yield


@pytest.fixture(scope="session")
def tokenizer():
    return build()


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """Folders of base, teacher, student-hard and student-returned; read them, don't write to them."""
    from handan.organism import family

    return family.train(TINY, tmp_path_factory.mktemp("family"), CHAIN)


@pytest.fixture(scope="session")
def base(models):
    from handan.organism.checkpoint import load

    return load(models[0])
