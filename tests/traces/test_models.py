import json
import shutil

import pandas as pd
import pytest

from handan.lineage import load_lineage
from handan.traces import ModelError, resolve
from handan.traces.models import content_hash


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "own-model"
    path.mkdir()
    (path / "config.json").write_text("{}")
    (path / "tokenizer.json").write_text("{}")
    (path / "model.safetensors").write_bytes(b"weights")
    return path


def test_every_model_of_the_lineage_with_a_pin_resolves_without_a_network(monkeypatch):
    monkeypatch.setattr("handan.traces.models._newest", lambda hub_id: pytest.fail("asked the hub"))
    known = load_lineage().dropna(subset=["hf_id", "revision"])
    assert len(known) > 30
    for row in known.itertuples():
        for name in (row.model, row.hf_id):
            model = resolve(name)
            assert (model.name, model.model_id, model.revision) == (row.model, row.hf_id, row.revision)
            assert model.think_open == ("" if pd.isna(row.think_open) else row.think_open)
            assert not model.is_local


def test_a_model_loads_with_its_pin_and_never_with_foreign_code():
    model = resolve("QwQ-32B")
    assert model.pinned() == {
        "pretrained_model_name_or_path": "Qwen/QwQ-32B",
        "trust_remote_code": False,
        "revision": model.revision,
    }


def test_another_revision_can_be_asked_for():
    assert resolve("QwQ-32B", "a" * 40).revision == "a" * 40


def test_a_folder_is_as_good_as_an_id(folder):
    model = resolve(str(folder))
    assert (model.name, model.model_id) == ("own-model", "local:own-model")
    assert model.is_local
    assert model.prompt == "wording"
    assert "revision" not in model.pinned()
    assert model.pinned()["pretrained_model_name_or_path"] == str(folder)


def test_the_revision_of_a_folder_follows_its_content_and_not_its_place(folder, tmp_path):
    before = resolve(str(folder)).revision
    moved = shutil.copytree(folder, tmp_path / "elsewhere" / "own-model")
    assert resolve(str(moved)).revision == before
    (moved / "README.md").write_text("words about it")
    assert resolve(str(moved)).revision == before
    (moved / "model.safetensors").write_bytes(b"weighty")
    assert resolve(str(moved)).revision != before


def test_a_changed_chat_template_changes_the_revision(folder):
    before = resolve(str(folder)).revision
    (folder / "chat_template.jinja").write_text("{{ messages[0].content }}")
    assert resolve(str(folder)).revision != before


def test_a_folder_says_how_it_wants_to_be_asked(folder):
    (folder / "handan.json").write_text(
        json.dumps({"name": "mine", "think_open": "<r>", "think_close": "</r>", "prompt": "code"})
    )
    model = resolve(str(folder))
    assert (model.name, model.think_open, model.prompt) == ("mine", "<r>", "code")


@pytest.mark.parametrize(
    "said", ['{"propmt": "code"}', '{"prompt": "song"}', "{", "[]", '{"params": "many"}']
)
def test_a_wrong_setting_of_a_folder_is_named(folder, said):
    (folder / "handan.json").write_text(said)
    with pytest.raises(ModelError, match=r"handan\.json"):
        resolve(str(folder))


def test_weights_that_can_run_code_are_refused(folder):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match="safetensors"):
        resolve(str(folder))


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(ModelError, match=r"config\.json"):
        resolve(str(tmp_path))


def test_an_unknown_name_gets_a_hint():
    with pytest.raises(ModelError, match="QwQ-32B"):
        resolve("QwQ-32b")


def test_a_model_behind_an_interface_has_no_weights():
    with pytest.raises(ModelError, match="--engine openai"):
        resolve("o1")


def test_an_unknown_hub_id_is_pinned_to_its_newest_commit(monkeypatch):
    class Api:
        def model_info(self, hub_id):
            return type("Info", (), {"sha": "b" * 40})

    monkeypatch.setattr("huggingface_hub.HfApi", Api)
    model = resolve("someone/new-model")
    assert (model.name, model.model_id, model.revision) == ("new-model", "someone/new-model", "b" * 40)


def test_without_a_network_an_unpinned_model_says_what_to_do(monkeypatch):
    class Api:
        def model_info(self, hub_id):
            raise OSError("no route")

    monkeypatch.setattr("huggingface_hub.HfApi", Api)
    with pytest.raises(ModelError, match="--revision"):
        resolve("someone/new-model")


def test_content_does_not_depend_on_the_order_of_files(tmp_path):
    files = [tmp_path / name for name in "ab"]
    for file in files:
        file.write_text(file.name)
    assert content_hash(files) == content_hash(reversed(files))
