from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.archive.declaration import named_model
from audio_encoder_checker.archive.pretrained import read_training
from audio_encoder_checker.archive.source import read_sources
from audio_encoder_checker.catalogue import all_checks
from audio_encoder_checker.evidence.training import DataUse, Declaration, Named, Relation, TrainingFacts
from audio_encoder_checker.findings import Finding, Severity
from audio_encoder_checker.judging import Evidence, judge
from tests.builders import write_tree

if TYPE_CHECKING:
    from pathlib import Path

KNOWN = "facebook/hubert-base-ls960"


def judged(facts: TrainingFacts) -> list[Finding]:
    evidence = Evidence()
    evidence.put(facts)
    return list(judge(evidence, [one for one in all_checks() if one.needs == (TrainingFacts,)]).findings)


def findings(tmp_path: Path, declaration: str = "", source: str = "pass") -> list[Finding]:
    files: dict[str, bytes | str] = {"a.py": f"class AEncoder:\n    {source}\n", "aecc.toml": declaration}
    return judged(read_training(read_sources(write_tree(tmp_path, files), "a.py")))


@pytest.mark.parametrize(
    ("declaration", "source"),
    [
        ("", "pass"),
        ("[training]\ndata = ['VGGSound', 'Common Voice', 'VoxCeleb2', 'our own']\npretrained = []", "pass"),
        ("[training]\npretrained = ['facebook/wav2vec2-large-100k-voxpopuli']", "pass"),
        ("", "x = from_pretrained('openai/whisper-base')"),
        ("[training]\ndata = ['royalty-free sound', 'our own audio set']", "pass"),
        ("", "x = from_pretrained('owner/maestro-small')"),
    ],
)
def test_what_has_nothing_to_do_with_evaluation_data_has_no_finding(
    tmp_path: Path, declaration: str, source: str
) -> None:
    assert findings(tmp_path, declaration, source) == []


@pytest.mark.parametrize(
    ("declaration", "source", "place", "words"),
    [
        ("[training]\ndate = ['MLS']", "pass", ("AEC920", Severity.WARNING, "aecc.toml"), "did you mean 'data'"),
        (
            "[training]\ndata = ['ESC 50']",
            "pass",
            ("AEC921", Severity.WARNING, "aecc.toml:2"),
            '"ESC 50" names ESC-50, which the challenge evaluates on (esc50)',
        ),
        (
            "[training]\ndata = ['AudioSet-2M']",
            "pass",
            ("AEC922", Severity.WARNING, "aecc.toml:2"),
            '"AudioSet-2M" may share recordings with DESED (desed): ',
        ),
        (
            "[training]\ndata = ['Libri-Light']",
            "pass",
            ("AEC922", Severity.NOTE, "aecc.toml:2"),
            "both are made of LibriVox's audiobooks",
        ),
        (
            f"[training]\npretrained = ['{KNOWN}']",
            "pass",
            ("AEC923", Severity.WARNING, "aecc.toml:2"),
            "HuBERT base, was trained on LibriSpeech as published; the challenge evaluates on librispeech",
        ),
        (
            "[training]\npretrained = ['microsoft/wavlm-large']",
            "pass",
            ("AEC923", Severity.NOTE, "aecc.toml:2"),
            "trained on Libri-Light as published; that may share recordings with librispeech",
        ),
        (
            "",
            f"x = from_pretrained('{KNOWN}')",
            ("AEC924", Severity.WARNING, "a.py:2"),
            f'"{KNOWN}", HuBERT base, was trained on LibriSpeech',
        ),
        (
            "",
            "x = from_pretrained('descript/dac_16khz')",
            ("AEC924", Severity.WARNING, "a.py:2"),
            "DNS Challenge: the emotional speech of its later editions is CREMA-D's",
        ),
        (
            "",
            "x = from_pretrained('owner/net-voxlingua107')",
            ("AEC924", Severity.NOTE, "a.py:2"),
            'the name "owner/net-voxlingua107" speaks of VoxLingua107; the challenge evaluates on voxlingua33',
        ),
    ],
)
def test_each_name_has_its_check(
    tmp_path: Path, declaration: str, source: str, place: tuple[str, Severity, str], words: str
) -> None:
    (found,) = findings(tmp_path, declaration, source)
    assert (found.id, found.severity, found.at) == place
    assert words in found.message


def test_nothing_is_ever_an_error(tmp_path: Path) -> None:
    every = "LibriSpeech ESC-50 VoxCeleb1 FSD50K Clotho GTZAN NSynth"
    text = f"[training]\ndata = ['{every}']\npretrained = ['{every}', '{KNOWN}']\nfoo = 1\n"
    found = findings(tmp_path, text, "x = from_pretrained('microsoft/wavlm-base')")
    assert {one.id for one in found} == {"AEC920", "AEC921", "AEC923", "AEC924"}
    assert all(one.severity is not Severity.ERROR for one in found)


def test_a_hint_says_where_to_read_it(tmp_path: Path) -> None:
    (found,) = findings(tmp_path, f"[training]\npretrained = ['{KNOWN}']")
    assert found.hint.endswith("see https://arxiv.org/abs/2106.07447")


@pytest.mark.parametrize("declared", [KNOWN, KNOWN.upper(), "HuBERT base"])
def test_a_model_that_is_declared_is_not_told_of_again(tmp_path: Path, declared: str) -> None:
    (found,) = findings(tmp_path, f"[training]\npretrained = ['{declared}']", f"x = from_pretrained('{KNOWN}')")
    assert found.id == "AEC923"


def test_an_undeclared_model_beside_a_declared_one_is_told_of(tmp_path: Path) -> None:
    declared, loaded = findings(
        tmp_path, f"[training]\npretrained = ['{KNOWN}']", "x = from_pretrained('microsoft/wavlm-base')"
    )
    assert (declared.id, loaded.id) == ("AEC923", "AEC924")
    assert "WavLM base" in loaded.message


def test_many_models_are_counted_not_listed() -> None:
    models = tuple(named_model(f"owner/gtzan-{number}", "a.py:1") for number in range(50))
    found = judged(TrainingFacts(Declaration(), models))
    assert len(found) == 20
    assert "30 more like this" in found[-1].message


def test_freesound_names_what_is_made_of_it(tmp_path: Path) -> None:
    (found,) = findings(tmp_path, "[training]\ndata = ['all of Freesound']")
    assert (found.id, found.severity) == ("AEC922", Severity.WARNING)
    assert "FSD50K, FSDKaggle2018, ESC-50, UrbanSound8K, Clotho and 1 more" in found.message


def test_of_several_sets_it_is_said_which_is_meant(tmp_path: Path) -> None:
    (found,) = findings(tmp_path, "[training]\ndata = ['MLS and AudioSet']")
    assert found.severity is Severity.WARNING
    assert "AudioSet: DESED's recorded clips" in found.message
    assert "Multilingual LibriSpeech: both" in found.message


def test_AEC921_names_what_is_evaluated_on_and_not_what_is_related_to_it() -> None:
    other = next(one for one in Relation if one is not Relation.SAME)
    uses = (
        DataUse("DESED", Relation.SAME, "DESED", ("desed",), "", "a"),
        DataUse("AudioSet", other, "FSD50K", ("fsd50k",), "both are of one source", "b"),
    )
    declaration = Declaration("aecc.toml", data=(Named("sounds", "aecc.toml:2", uses),))
    (found,) = (one for one in judged(TrainingFacts(declaration=declaration)) if one.id == "AEC921")
    assert found.message == '"sounds" names DESED, which the challenge evaluates on (desed)'
