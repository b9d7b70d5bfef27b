import pytest
from tests.explorer.made_up import hostile, write_site

from handan import explorer
from handan.explorer.data import as_data
from handan.explorer.page import html


@pytest.fixture(scope="session")
def samples():
    """Made here by the packaged models, with one trace that tries to be markup."""
    made = explorer.tiny_traces(tasks=("binary-addition",), limit=3)
    made.rows.loc[made.rows.index[0], "text"] += "\n</script><img src=x onerror='window.hacked=4'>"
    return made


@pytest.fixture(scope="session")
def found():
    real = [explorer.evidence(name, n_boot=50) for name in ("pnas-r1", "mip-math", "organism")]
    return [*real, explorer.evidence_of(hostile(), n_boot=50)]


@pytest.fixture(scope="session")
def data(found, samples):
    return as_data(found, samples)


@pytest.fixture(scope="session")
def site(root, data, tmp_path_factory):
    """A folder with a page that holds the explorer."""
    return write_site(root, tmp_path_factory.mktemp("explorer") / "html", html(data))
