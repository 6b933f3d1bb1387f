"""The pre-trained models that the sources name: text that a loading call is given, and names that are known.

The text is read, nothing is imported or run. A variable counts for the text that it is given in the same file.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, NamedTuple

from audio_encoder_checker.archive.corpora import model_identified
from audio_encoder_checker.archive.declaration import named_model, read_declaration
from audio_encoder_checker.archive.syntax import (
    Function,
    assigned,
    defaults,
    dotted,
    full_name,
    imported,
    parse_source,
    targets,
)
from audio_encoder_checker.evidence.training import Named, TrainingFacts
from audio_encoder_checker.printable import place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from audio_encoder_checker.evidence.source import SourceFacts

LOADERS = {
    "from_pretrained": ("pretrained_model_name_or_path", "repo_id"),
    "hf_hub_download": ("repo_id",),
    "snapshot_download": ("repo_id",),
    "cached_download": ("url",),
    "load_state_dict_from_url": ("url",),
    "download_url_to_file": ("url",),
    "urlretrieve": ("url",),
    "from_hparams": ("source",),
    "from_model_name": ("model_name",),
    "create_model": ("model_name",),
    "load_model": ("name", "model"),
    "pipeline": ("model",),
    "S3PRLUpstream": ("name",),
}
"""Calls that load a model, by the last part of their name, and the parameters that name it."""
HUB_LOAD = "hub.load"
BUNDLES = "torchaudio.pipelines."
NAME = re.compile(r"[\w.~:+@/-]*[\w]", re.ASCII)
"""What an identifier, a path or an address is made of."""
PROSE = 200
"""A longer text is none of these."""
MOST = 200


class _Seen(NamedTuple):
    name: str
    line: int


def read_training(sources: SourceFacts, downloads: Iterable[tuple[str, str]] = ()) -> TrainingFacts:
    """What the repository declares, and the models that its sources and downloads name.

    Args:
        sources: of the submission.
        downloads: name of a repository or address of a file that was fetched, and where that was seen.
    """
    found: dict[str, Named] = {}
    for path in sources.in_depth:
        file = sources.file(path)
        parsed = parse_source(sources.root / path, path) if file and not file.trouble else None
        for seen in _models(parsed.tree) if parsed and parsed.tree else ():
            _keep(found, named_model(seen.name, place(path, seen.line)))
    for name, at in downloads:
        _keep(found, named_model(name, at))
    return TrainingFacts(read_declaration(sources.root), tuple(found.values()))


def _keep(found: dict[str, Named], one: Named) -> None:
    if len(found) < MOST:
        found.setdefault(one.text, one)


def _models(tree: ast.Module) -> list[_Seen]:
    """The models of one file by line: those that are loaded, and known ones wherever they are named."""
    texts = dict(_variables(tree))
    imports = imported(tree)
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    found: list[_Seen] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            found += [_Seen(name, node.lineno) for name in _loaded(node, texts, imports)]
        elif isinstance(node, ast.Constant) and id(node) not in prose:
            found += [_Seen(name, node.lineno) for name in _known(node.value)]
        elif isinstance(node, ast.Name | ast.Attribute):
            found += [_Seen(name, node.lineno) for name in _bundle(node, imports)]
    return sorted(found, key=lambda one: one.line)


def _variables(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Names, attributes and defaults of parameters that are given a text, the first text of each."""
    pairs: list[tuple[str, ast.expr]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value:
            pairs += [(name, node.value) for name in targets(assigned(node))]
            pairs += [(one.attr, node.value) for one in assigned(node) if isinstance(one, ast.Attribute)]
        elif isinstance(node, Function):
            pairs += [(parameter.arg, value) for parameter, value in defaults(node.args)]
    for name, value in reversed(pairs):
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            yield name, value.value


def _loaded(call: ast.Call, texts: Mapping[str, str], imports: Mapping[str, str]) -> Iterator[str]:
    """The model that a loading call names; of `torch.hub.load` the repository and the model in it."""
    name = full_name(call.func, imports)
    last = call.func.attr if isinstance(call.func, ast.Attribute) else name.rpartition(".")[2]
    given = {one.arg: one.value for one in call.keywords if one.arg}
    positional = [_text(one, texts) for one in call.args[:2]]
    if name.endswith(HUB_LOAD) and not name.startswith("."):
        parts = [*positional, *(_text(given[key], texts) for key in ("repo_or_dir", "model") if key in given)]
        yield from [":".join(parts)] if len(parts) > 1 and all(parts) else []
    elif last in LOADERS:
        named = [_text(given[key], texts) for key in LOADERS[last] if key in given]
        first = positional[:1] if last != "pipeline" else []
        yield from [one for one in (*named, *first) if _is_name(one)][:1]


def _text(node: ast.expr, texts: Mapping[str, str]) -> str:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    return texts.get(dotted(node).rpartition(".")[2], "")


def _is_name(text: str) -> bool:
    """Whether it names a model elsewhere: not a path that starts here."""
    return len(text) <= PROSE and bool(NAME.fullmatch(text)) and not text.startswith((".", "/", "~"))


def _known(value: object) -> list[str]:
    """A text that is the name of a known model, wherever it stands."""
    is_name = isinstance(value, str) and len(value) <= PROSE and NAME.fullmatch(value)
    return [value] if isinstance(value, str) and is_name and model_identified(value) else []


def _bundle(node: ast.Name | ast.Attribute, imports: Mapping[str, str]) -> list[str]:
    """A model that comes with torchaudio."""
    name = full_name(node, imports)
    return [name] if name.startswith(BUNDLES) and name.removeprefix(BUNDLES).isupper() else []
