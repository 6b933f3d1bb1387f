"""Pre-trained models that sources and downloads name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.archive import pretrained as module
from audio_encoder_checker.archive.pretrained import read_training
from audio_encoder_checker.archive.source import read_sources
from tests.builders import write_tree

if TYPE_CHECKING:
    from pathlib import Path

    from audio_encoder_checker.evidence.training import TrainingFacts

KNOWN = "facebook/hubert-base-ls960"


def facts(tmp_path: Path, body: str, top: str = "", more: dict[str, bytes | str] | None = None) -> TrainingFacts:
    """What is found of an encoder whose constructor has these lines, below these lines at its top."""
    lines = "".join(f"        {line}\n" for line in body.split("\n"))
    source = f"{top}\nclass AEncoder:\n    def __init__(self):\n{lines}"
    return read_training(read_sources(write_tree(tmp_path / "repo", {"a.py": source, **(more or {})}), "a.py"))


def names(tmp_path: Path, body: str, top: str = "") -> list[tuple[str, str]]:
    return [(one.text, one.at) for one in facts(tmp_path, body, top).models]


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ("AutoModel.from_pretrained('owner/net')", "owner/net"),
        ("AutoModel.from_pretrained(pretrained_model_name_or_path='owner/net')", "owner/net"),
        ("hf_hub_download('owner/net', 'model.pt')", "owner/net"),
        ("huggingface_hub.hf_hub_download(repo_id='owner/net', filename='model.pt')", "owner/net"),
        ("snapshot_download('owner/net')", "owner/net"),
        ("torch.hub.load('owner/repo', 'net', source='github')", "owner/repo:net"),
        ("torch.hub.load(repo_or_dir='owner/repo', model='net')", "owner/repo:net"),
        ("torch.hub.load('owner/repo:v1', model='net')", "owner/repo:v1:net"),
        ("torch.hub.load_state_dict_from_url('https://a.org/net.pt')", "https://a.org/net.pt"),
        ("EncoderClassifier.from_hparams(source='owner/net')", "owner/net"),
        ("timm.create_model('hf-hub:owner/net')", "hf-hub:owner/net"),
        ("pipeline('audio-classification', model='owner/net')", "owner/net"),
        ("whisper.load_model('base')", "base"),
    ],
)
def test_a_loading_call_names_its_model(tmp_path: Path, body: str, name: str) -> None:
    assert names(tmp_path, body) == [(name, "a.py:4")]


@pytest.mark.parametrize(
    ("top", "body"),
    [
        ("NAME = 'owner/net'", "load = AutoModel.from_pretrained(NAME)"),
        ("NAME: str = 'owner/net'", "load = AutoModel.from_pretrained(NAME)"),
        ("class Settings:\n    name = 'owner/net'", "AutoModel.from_pretrained(Settings.name)"),
        ("def load(name='owner/net'): AutoModel.from_pretrained(name)", "load()"),
        ("def load(*, name='owner/net'): AutoModel.from_pretrained(name)", "load()"),
        ("", "self.name = 'owner/net'\nAutoModel.from_pretrained(self.name)"),
        ("from torch import hub\nREPO = 'owner/net'", "hub.load_state_dict_from_url(REPO)"),
    ],
)
def test_a_variable_counts_for_its_text(tmp_path: Path, top: str, body: str) -> None:
    assert [name for name, _ in names(tmp_path, body, top)] == ["owner/net"]


@pytest.mark.parametrize(
    "body",
    [
        "AutoModel.from_pretrained(self.path)",
        "AutoModel.from_pretrained('./weights')",
        "AutoModel.from_pretrained('/home/me/weights')",
        "AutoModel.from_pretrained(Path(__file__).parent)",
        "AutoModel.from_pretrained('two words')",
        "AutoModel.from_pretrained(1)",
        "torch.hub.load('owner/repo')",
        "from . import hub\nhub.load('owner/repo', 'net')",
        "pipeline('audio-classification')",
        "from_config('owner/net')",
        "x = 'owner/net'",
        "'facebook/hubert-base-ls960'",
    ],
)
def test_what_names_no_model_elsewhere_is_let_pass(tmp_path: Path, body: str) -> None:
    assert names(tmp_path, body) == []


@pytest.mark.parametrize(
    "body",
    [
        f"x = '{KNOWN}'",
        f"load({{'name': '{KNOWN}'}})",
        f"open(here / 'hubert-base-ls960')\nx = '{KNOWN}'",
    ],
)
def test_a_known_model_is_found_wherever_it_is_named(tmp_path: Path, body: str) -> None:
    found = facts(tmp_path, body).models
    assert {one.model.title for one in found if one.model} == {"HuBERT base"}
    assert all(one.uses for one in found)


@pytest.mark.parametrize(
    ("top", "body"),
    [
        ("import torchaudio", "torchaudio.pipelines.HUBERT_BASE.get_model()"),
        ("from torchaudio.pipelines import HUBERT_BASE as bundle", "bundle.get_model()"),
        ("from torchaudio import pipelines", "pipelines.HUBERT_BASE.get_model()"),
        ("import torchaudio.pipelines as p", "p.HUBERT_BASE.get_model()"),
    ],
)
def test_a_bundle_of_torchaudio_is_a_model(tmp_path: Path, top: str, body: str) -> None:
    (found,) = facts(tmp_path, body, top).models
    assert (found.text, found.model and found.model.title) == ("torchaudio.pipelines.HUBERT_BASE", "HuBERT base")


def test_a_model_is_told_once_where_it_stands_first(tmp_path: Path) -> None:
    body = f"x = '{KNOWN}'\nAutoModel.from_pretrained('{KNOWN}')"
    assert names(tmp_path, body, "import torch") == [(KNOWN, "a.py:4")]


def test_only_what_the_encoder_reaches_is_read(tmp_path: Path) -> None:
    more: dict[str, bytes | str] = {"net.py": f"x = '{KNOWN}'\n", "train.py": "x = 'microsoft/wavlm-base'\n"}
    found = facts(tmp_path, "pass", "import net", more)
    assert [(one.text, one.at) for one in found.models] == [(KNOWN, "net.py:1")]


def test_downloads_are_models_too(tmp_path: Path) -> None:
    sources = read_sources(write_tree(tmp_path, {"a.py": f"class AEncoder:\n    x = '{KNOWN}'\n"}), "a.py")
    found = read_training(sources, [(KNOWN, "download"), ("microsoft/wavlm-base", "download")]).models
    assert [(one.text, one.at) for one in found] == [(KNOWN, "a.py:2"), ("microsoft/wavlm-base", "download")]


def test_the_declaration_comes_along(tmp_path: Path) -> None:
    found = facts(tmp_path, "pass", more={"aecc.toml": "[training]\ndata = ['AudioSet']\n"})
    assert [one.text for one in found.declaration.data] == ["AudioSet"]


def test_a_file_that_is_no_python_names_nothing(tmp_path: Path) -> None:
    assert facts(tmp_path, f"x = '{KNOWN}'\n)").models == ()


def test_a_file_full_of_names_gives_the_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 2)
    assert [
        name
        for name, _ in names(
            tmp_path,
            "[from_pretrained(x) for x in y]\n"
            + "\n".join(f"from_pretrained('owner/net{number}')" for number in range(5)),
        )
    ] == ["owner/net0", "owner/net1"]


def test_deep_nesting_is_walked(tmp_path: Path) -> None:
    chain = ".a" * 900
    assert names(tmp_path, f"x{chain}\nfrom_pretrained('owner/net')") == [("owner/net", "a.py:5")]
