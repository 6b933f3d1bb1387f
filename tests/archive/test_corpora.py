"""Data sets and models agree with their schemas, and their names are recognised however they are written."""

from __future__ import annotations

import jsonschema
import pytest

from audio_encoder_checker import toml
from audio_encoder_checker.archive.corpora import (
    FOLDER,
    all_data_sets,
    all_models,
    model_identified,
    model_named,
    uses_in,
    uses_of,
)
from audio_encoder_checker.evaluation.tasks import challenge_tasks
from audio_encoder_checker.evidence.training import Relation
from audio_encoder_checker.rules import schema


@pytest.mark.parametrize("name", ["datasets", "models"])
def test_the_files_satisfy_their_schemas(name: str) -> None:
    data = toml.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema(f"training/{name}")).validate(data)


def test_every_public_task_is_evaluated_on_a_known_data_set_and_no_other() -> None:
    evaluated = {task for one in all_data_sets().values() for task in one.tasks}
    assert evaluated == {task.id for task in challenge_tasks() if not task.hidden}


def test_whatever_is_shared_is_shared_with_evaluation_data() -> None:
    sets = all_data_sets()
    assert all(sets[share["with"]].tasks for one in sets.values() for share in one.shares)


def test_every_model_learned_from_data_that_matters() -> None:
    assert all(uses_of(one.data) for one in all_models())


def test_no_name_stands_twice() -> None:
    texts = [tuple(sorted({name.casefold() for name in (*one.names, *one.files)})) for one in all_models()]
    names = [name for several in texts for name in several]
    assert len(names) == len(set(names))
    titles = [one.title for one in all_models()]
    assert len(titles) == len(set(titles))


@pytest.mark.parametrize("one", all_models(), ids=lambda one: one.title)
def test_a_model_is_found_under_each_of_its_names(one: object) -> None:
    model = next(known for known in all_models() if known is one)
    for name in (*model.names, *model.files):
        assert model_identified(name.replace("*", "x")) is model
    for alias in model.aliases:
        assert model_named(alias.upper()) is model


@pytest.mark.parametrize("one", list(all_data_sets().values()), ids=lambda one: one.id)
def test_a_data_set_is_found_under_each_of_its_names(one: object) -> None:
    known = next(data_set for data_set in all_data_sets().values() if data_set is one)
    for name in (known.title, *known.aliases):
        assert uses_in(f"the {name.upper()} corpus") == uses_of([known.id])


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("LibriSpeech", "LibriSpeech"),
        ("libri-speech", "LibriSpeech"),
        ("librispeech_asr", "LibriSpeech"),
        ("LibriSpeech960", "LibriSpeech"),
        ("train clean 100", "LibriSpeech"),
        ("half of FSD-50k (eval left out)", "FSD50K"),
        ("voxceleb", "VoxCeleb1"),
        ("VoxCeleb 1 & 2", "VoxCeleb1"),
        ("google/speech_commands", "Speech Commands v1"),
        ("GTZAN genre collection", "GTZAN"),
        ("fma_large", "Free Music Archive"),
        ("MAESTRO v3.0.0", "MAESTRO"),
        ("maestro", "MAESTRO"),
        ("maestro piano recordings", "MAESTRO"),
        ("owner/maestro-v3.0.0", "MAESTRO"),
        ("owner/Clotho-captions", "Clotho"),
        ("speech commands", "Speech Commands v1"),
        ("the Speech Commands of Google", "Speech Commands v1"),
        ("vocalsound_16k", "VocalSound"),
        ("US8K", "UrbanSound8K"),
        ("US 8K", "UrbanSound8K"),
        ("ESC50", "ESC-50"),
    ],
)
def test_a_name_is_recognised_however_it_is_written(text: str, title: str) -> None:
    closest = uses_in(text)[0]
    assert (closest.relation, closest.named, closest.evaluated) == (Relation.SAME, title, title)


@pytest.mark.parametrize(
    "text",
    ["VoxCeleb2", "MAESTRO Real", "GTZAN music/speech", "Common Voice", "VGGSound", "librispeeches", "desedimented"],
)
def test_other_data_sets_are_let_pass(text: str) -> None:
    assert uses_in(text) == ()


@pytest.mark.parametrize(
    "text",
    [
        "weights/maestro/model.pt",
        "owner/maestro",
        "https://a.org/clotho/net.pt",
        "royalty-free sound effects",
        "Royalty-Free Sound Effects",
        "our own audio set",
        "speech commands that we recorded",
        "vocal sounds",
        "a vocal sound or two",
        "urban sound of three cities",
        "that gave us 8k hours",
        "files as 2 m long pieces",
        "libri",
        "ESC",
        "owner/escape-50",
    ],
)
def test_ordinary_words_are_no_names(text: str) -> None:
    assert uses_in(text) == ()


@pytest.mark.parametrize(
    ("text", "relation", "evaluated"),
    [
        ("Freesound", Relation.SHARES, {"FSD50K", "FSDKaggle2018", "ESC-50", "UrbanSound8K", "Clotho", "DESED"}),
        ("AudioSet", Relation.SHARES, {"DESED"}),
        ("LibriTTS-R", Relation.SHARES, {"LibriSpeech"}),
        ("Libri2Mix", Relation.SHARES, {"LibriSpeech"}),
        ("speech commands v0.02", Relation.SHARES, {"Speech Commands v1"}),
        ("speech commands v2 test", Relation.SHARES, {"Speech Commands v1"}),
        ("AS-2M", Relation.SHARES, {"DESED"}),
        ("FUSS", Relation.SHARES, {"FSD50K"}),
        ("URBAN-SED", Relation.SHARES, {"UrbanSound8K"}),
        ("MUSAN", Relation.SOURCE, {"LibriSpeech", "FSD50K", "Free Music Archive"}),
        ("Libri-Light", Relation.SOURCE, {"LibriSpeech"}),
        ("MLS English", Relation.SOURCE, {"LibriSpeech"}),
    ],
)
def test_a_collection_is_told_from_what_it_holds(text: str, relation: Relation, evaluated: set[str]) -> None:
    uses = uses_in(text)
    assert {use.relation for use in uses} == {relation}
    assert {use.evaluated for use in uses} == evaluated
    assert all(use.fact and use.source and use.tasks for use in uses)


def test_the_closest_relation_comes_first() -> None:
    ranks = [use.relation.rank for use in uses_in("Libri-Light, Freesound and LibriSpeech")]
    assert ranks == sorted(ranks)
    assert ranks[0] == 0 < ranks[-1]


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Facebook/HuBERT-base-ls960", "HuBERT base"),
        ("facebook/hubert-base-ls960@dba3bb02fda4248b6e082697eee756de8fe8aa8a", "HuBERT base"),
        ("https://huggingface.co/facebook/hubert-base-ls960/resolve/main/pytorch_model.bin", "HuBERT base"),
        ("hf://facebook/hubert-base-ls960", "HuBERT base"),
        ("https://dl.fbaipublicfiles.com/hubert/hubert_base_ls960.pt", "HuBERT base"),
        ("weights/hubert-base-ls960", "HuBERT base"),
        ("weights\\BEATs_iter3.pt", "BEATs"),
        ("s3prl/s3prl:hubert", "HuBERT base"),
        ("MIT/ast-finetuned-audioset-10-10-0.4593", "AST (AudioSet)"),
        ("hf_hub:gaunernst/vit_base_patch16_1024_128.audiomae_as2m", "AudioMAE"),
        ("hf-hub:mispeech/ced-base", "CED"),
        ("https://zenodo.org/records/11511780/files/dasheng_base.pt?download=1", "Dasheng"),
        ("https://zenodo.org/record/3576403/files/Cnn14_mAP%3D0.431.pth?download=1", "PANNs"),
        ("passt_s_swa_p16_128_ap476", "PaSST"),
        ("facebook/mms-1b", "MMS"),
    ],
)
def test_a_model_is_recognised_by_identifier_address_and_path(text: str, title: str) -> None:
    found = model_identified(text)
    assert found is not None
    assert found.title == title


@pytest.mark.parametrize(
    "text",
    [
        "facebook/wav2vec2-large-100k-voxpopuli",
        "openai/whisper-base",
        "facebook/hubert",
        "owner/wav2vec2-base",  # the last part alone says too little
        "owner/dasheng-of-our-own",
        "dasheng-of-our-own",
        "hubert_base_korean",
        "facebook/mms-tts-eng",
        "",
    ],
)
def test_a_model_that_is_not_known_is_none(text: str) -> None:
    assert model_named(text) is None


def test_prose_names_a_model_too() -> None:
    found = model_named("HuBERT (base), as in torchaudio")
    assert found is not None
    assert found.title == "HuBERT base"
    assert model_identified("HuBERT (base), as in torchaudio") is None


@pytest.mark.parametrize("text", ["wavlm_large", "WavLM-Large", "WavLM large", "our copy of WavLM large"])
def test_a_name_alone_is_the_model_however_it_is_written(text: str) -> None:
    found = model_named(text)
    assert found is not None
    assert found.title == "WavLM base+ and large"


def test_a_text_without_end_takes_no_time_without_end() -> None:
    assert uses_in("x " * 1_000_000 + "LibriSpeech") == ()
    assert model_named("a/" * 1_000_000) is None
