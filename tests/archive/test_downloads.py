"""Where the keyword goes, and which calls are left alone: sources as people write them."""

from __future__ import annotations

import ast

import pytest

from audio_encoder_checker.archive.downloads import Found, find_downloads, pinned
from tests.packing.hub import COMMIT, OTHER

HEAD = "from transformers import AutoModel\nimport transformers, huggingface_hub\n"
REV = f'revision="{COMMIT}"'


def found(source: str) -> Found:
    return find_downloads(ast.parse(source), lambda text: text == "weights/here")


def pin(source: str) -> str:
    tree = ast.parse(source)
    return pinned(source, tree, [(one, COMMIT) for one in find_downloads(tree, lambda _: False).downloads])


PLACES = {
    'm = AutoModel.from_pretrained("a/b")': f'm = AutoModel.from_pretrained("a/b", {REV})',
    'm = AutoModel.from_pretrained( "a/b" )  # )': f'm = AutoModel.from_pretrained( "a/b", {REV} )  # )',
    'm = AutoModel.from_pretrained("a/b",)': f'm = AutoModel.from_pretrained("a/b", {REV},)',
    'm = AutoModel.from_pretrained("a/b", dtype=f("(", ")"))': (
        f'm = AutoModel.from_pretrained("a/b", dtype=f("(", ")"), {REV})'
    ),
    'm = AutoModel.from_pretrained(("a/b"))': f'm = AutoModel.from_pretrained(("a/b"), {REV})',
    'm = AutoModel.from_pretrained("a/" "b", key=lambda: (0, 1))': (
        f'm = AutoModel.from_pretrained("a/" "b", key=lambda: (0, 1), {REV})'
    ),
    'm = AutoModel.from_pretrained(\n\t"a/b",  # é, (\n\tdtype=x,  # it, costs ) memory\n)': (
        f'm = AutoModel.from_pretrained(\n\t"a/b",  # é, (\n\tdtype=x, {REV},  # it, costs ) memory\n)'
    ),
    'm = AutoModel.from_pretrained(\n\t"a/b",\n\tdtype=x  # no comma, here\n)': (
        f'm = AutoModel.from_pretrained(\n\t"a/b",\n\tdtype=x, {REV}  # no comma, here\n)'
    ),
    'm = AutoModel.from_pretrained(\n    ("a/b"  # ), (\n    )\n    # the end\n    ,\n)': (
        f'm = AutoModel.from_pretrained(\n    ("a/b"  # ), (\n    )\n    # the end\n    , {REV},\n)'
    ),
    'm = AutoModel.from_pretrained("a/b" \\\n )': f'm = AutoModel.from_pretrained("a/b", {REV} \\\n )',
    'ü = "你好"; m = AutoModel.from_pretrained("a/b"); n = "é"': (
        f'ü = "你好"; m = AutoModel.from_pretrained("a/b", {REV}); n = "é"'
    ),
    'ü, m, n = "🎵", AutoModel.from_pretrained("a/b"), AutoModel.from_pretrained("c/d",)': (
        f'ü, m, n = "🎵", AutoModel.from_pretrained("a/b", {REV}), AutoModel.from_pretrained("c/d", {REV},)'
    ),
    'm = AutoModel.from_pretrained("a/b", config=AutoModel.from_pretrained("a/b"))': (
        f'm = AutoModel.from_pretrained("a/b", config=AutoModel.from_pretrained("a/b", {REV}), {REV})'
    ),
    '\x0cm = AutoModel.from_pretrained("a/b")': f'\x0cm = AutoModel.from_pretrained("a/b", {REV})',
    'd = """\r\n)"""\r\nm = AutoModel.from_pretrained(\r\n  "a/b"\r\n)\r\n': (
        f'd = """\r\n)"""\r\nm = AutoModel.from_pretrained(\r\n  "a/b", {REV}\r\n)\r\n'
    ),
    'x = 1\rm = AutoModel.from_pretrained("a/b")\r': f'x = 1\rm = AutoModel.from_pretrained("a/b", {REV})\r',
}


@pytest.mark.parametrize("source", PLACES)
def test_the_keyword_goes_behind_the_last_argument_and_nothing_else_changes(source: str) -> None:
    assert pin(HEAD + source) == HEAD + PLACES[source]


PINNED = [
    "AutoModel.from_pretrained('a/b')",
    "AutoModel.from_pretrained('gpt2')",
    "transformers.AutoModel.from_pretrained('a/b', trust_remote_code=True)",
    "AutoModel.from_pretrained(pretrained_model_name_or_path='a/b')",
    "huggingface_hub.hf_hub_download('a/b', 'x.pt')",
    "huggingface_hub.snapshot_download(repo_id='a/b', repo_type='model')",
    "huggingface_hub.HfApi().hf_hub_download('a/b', 'x.pt')",
    "api.snapshot_download('a/b')",
]


@pytest.mark.parametrize("call", PINNED)
def test_calls_that_take_a_revision_are_found(call: str) -> None:
    downloads, left = found(f"{HEAD}m = {call}\n")
    assert [(one.kind, bool(one.repository)) for one in downloads] == [("model", True)]
    assert left == []


def test_functions_under_another_name_and_classes_of_ones_own_are_found() -> None:
    downloads, left = found(
        "from huggingface_hub import hf_hub_download as get, PyTorchModelHubMixin as Mixin\n"
        "from transformers import Wav2Vec2Model\n"
        "class Ours(Wav2Vec2Model): pass\n"
        "class Smaller(Ours): pass\n"
        "class Other(object, Mixin): pass\n"
        "get('a/b', 'x'); Smaller.from_pretrained('c/d'); Other.from_pretrained('e/f')\n"
    )
    assert [one.repository for one in downloads] == ["a/b", "c/d", "e/f"]
    assert left == []


def test_a_name_that_the_file_gives_once_is_followed() -> None:
    source = (
        HEAD + 'MODEL = "a/b"\nclass A:\n    def __init__(self):\n        self.m = AutoModel.from_pretrained(MODEL)\n'
    )
    assert [one.repository for one in found(source).downloads] == ["a/b"]
    assert found(source + 'MODEL = "c/d"\n').downloads == []
    assert found(source.replace("__init__(self)", "__init__(self, MODEL)")).downloads == []


def test_a_data_set_is_asked_for_as_one() -> None:
    downloads, _ = found(
        "from huggingface_hub import hf_hub_download\nhf_hub_download('a/b', 'x', repo_type='dataset')"
    )
    assert [one.kind for one in downloads] == ["dataset"]


UNTOUCHED = [
    "AutoModel.from_pretrained('a/b', revision='main')",
    "AutoModel.from_pretrained('a/b', revision=None)",
    "AutoModel.from_pretrained('a/b', local_files_only=True)",
    "AutoModel.from_pretrained('weights/here')",
    "AutoModel.from_pretrained('./weights')",
    "AutoModel.from_pretrained('/opt/weights')",
    "AutoModel.from_pretrained('a/b/c')",
    "AutoModel.from_pretrained('')",
    "AutoModel.from_pretrained(NAME)",
    "AutoModel.from_pretrained(f'a/{x}')",
    "AutoModel.from_pretrained(b'a/b')",
    "AutoModel.from_pretrained()",
    "AutoModel.from_pretrained(config=x)",
    "torch.hub.load('a/b', 'model')",
    "huggingface_hub.hf_hub_download('a/b', 'x', endpoint='https://example.org')",
]


@pytest.mark.parametrize("call", UNTOUCHED)
def test_calls_with_nothing_to_pin_are_passed_over(call: str) -> None:
    assert found(f"{HEAD}m = {call}\n") == ([], [])


LEFT = {
    "AutoModel.from_pretrained('a/b', **options)": "`*` or `**`",
    "AutoModel.from_pretrained('a/b', *more)": "`*` or `**`",
    "AutoModel.from_pretrained('a/b', 'main')": "second argument",
    "f'{AutoModel.from_pretrained(\"a/b\")}'": "f-string",
    "Vocos.from_pretrained('a/b')": "whether vocos.Vocos.from_pretrained takes a revision is not known",
    "cls.from_pretrained('a/b')": "whether cls.from_pretrained takes",
    "make().from_pretrained('a/b')": "whether that object.from_pretrained takes",
    "ms.snapshot_download('a/b')": "it is not huggingface_hub's snapshot_download",
    "snapshot_download('a/b')": "it is not huggingface_hub's snapshot_download",
    "Own.from_pretrained('a/b')": "whether Own.from_pretrained takes",
    "huggingface_hub.hf_hub_download('a/b', 'x', repo_type=kind)": "repo_type",
}


@pytest.mark.parametrize("call", LEFT)
def test_calls_that_cannot_be_pinned_are_named_with_the_reason(call: str) -> None:
    head = (
        f"{HEAD}import modelscope as ms\nfrom modelscope import snapshot_download\nfrom vocos import Vocos\n"
        "class Own(AutoModel):\n    @classmethod\n    def from_pretrained(cls, name): return name\n"
    )
    downloads, left = found(f"{head}m = {call}\n")
    assert downloads == []
    ((line, repository, why),) = left
    assert (line, repository) == (9, "a/b")
    assert LEFT[call] in why


def test_a_thousand_calls_on_one_line_take_no_time() -> None:
    source = (
        HEAD
        + "m = ["
        + 'AutoModel.from_pretrained("a/é" if 0 else "a/b"), AutoModel.from_pretrained("a/b"), ' * 1000
        + "]"
    )
    assert pin(source).count(COMMIT) == 200


def test_a_tree_of_another_source_is_refused() -> None:
    tree = ast.parse(HEAD + 'm = AutoModel.from_pretrained("a/b")')
    downloads = find_downloads(tree, lambda _: False).downloads
    with pytest.raises(ValueError, match=r"mean something else|somewhere else|syntax"):
        pinned(HEAD + 'm = AutoModel.from_pretrained("b")+1', tree, [(downloads[0], OTHER)])
