"""ASR with a tiny language model that is made here; X-ARES's own has to be downloaded."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from audio_encoder_checker.evaluation.decoder import DECODER_VARIABLE
from audio_encoder_checker.evaluation.job import Part, Round, ScoringJob
from audio_encoder_checker.evaluation.scorer.linear import train
from audio_encoder_checker.evaluation.scorer.transcripts import SEPARATOR, TranscriptLearner, transcripts, word_errors
from audio_encoder_checker.evaluation.tasks import Training, all_tasks

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

TEXTS = ("one two", "two three one", "three", "one one")


@pytest.fixture(scope="module")
def decoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Qwen2 of two small layers with random weights, and a tokenizer of letters."""
    from tokenizers import Tokenizer
    from tokenizers.models import BPE
    from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

    folder = tmp_path_factory.mktemp("decoder")
    tokens = ["<|endoftext|>", "<|vision_end|>", *"onetwhr", "Ġ"]  # the last is how Qwen2 writes a space
    plain = Tokenizer(BPE({token: number for number, token in enumerate(tokens)}, []))
    PreTrainedTokenizerFast(
        tokenizer_object=plain, eos_token=tokens[0], additional_special_tokens=tokens[1:2]
    ).save_pretrained(folder)
    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=len(tokens), hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=2, eos_token_id=0, bos_token_id=None, initializer_range=0.2,
    )  # fmt: skip
    Qwen2ForCausalLM(config).save_pretrained(folder)
    return folder


def frames(text: str) -> NDArray[np.float32]:
    """Two frames for each word."""
    number = {"one": 0, "two": 1, "three": 2}
    return np.repeat(3 * np.eye(3, 8, dtype=np.float32)[[number[word] for word in text.split()]], 2, axis=0)


def test_the_adapter_learns_what_the_frozen_model_needs(decoder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DECODER_VARIABLE, str(decoder))
    heard = [frames(text) for text in TEXTS * 4]
    learner = TranscriptLearner(heard, TEXTS * 4, heard[:4], TEXTS, 4, seed=0)
    frozen = [parameter.clone() for parameter in learner.model.parameters()]
    losses = train(learner, Training(12, 4, 1e-2), shuffle=0).step_losses
    assert np.mean(losses[-4:]) < 0.9 * np.mean(losses[:4])
    assert all(torch.equal(one, other) for one, other in zip(frozen, learner.model.parameters(), strict=True))


def test_the_separator_is_learnt_as_in_xares_and_is_no_word(decoder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DECODER_VARIABLE, str(decoder))
    heard = [frames(text) for text in TEXTS]
    learner = TranscriptLearner(heard, TEXTS, heard, TEXTS, 4, seed=0)
    expected = learner.tokenizer(f"{SEPARATOR}{TEXTS[0]}{learner.tokenizer.eos_token}").input_ids
    assert len(expected) == len(TEXTS[0]) + 2

    def model(inputs_embeds: torch.Tensor, attention_mask: torch.Tensor) -> SimpleNamespace:
        assert torch.equal(attention_mask, torch.ones(inputs_embeds.shape[:2], dtype=torch.long))
        logits = torch.zeros(*inputs_embeds.shape[:2], 10)
        logits[0, 3:-1] = 50 * torch.eye(10)[expected]  # four frames come before, each place tells of the next one
        return SimpleNamespace(logits=logits)

    model.get_input_embeddings = learner.model.get_input_embeddings  # type: ignore[attr-defined]  # stands in for it
    learner.model = model
    assert learner.loss(torch.tensor([0])).item() == pytest.approx(0, abs=1e-6)
    learner.valid_frames, learner.valid_texts = heard[:1], TEXTS[:1]
    expected[0] = 2  # a letter where the separator was to be: no word either
    assert learner.valid_metric() == 1.0


def test_items_of_a_batch_are_read_as_if_alone(decoder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DECODER_VARIABLE, str(decoder))
    heard = [frames(text) for text in TEXTS]
    learner = TranscriptLearner(heard, TEXTS, heard, TEXTS, 4, seed=0)
    logits, targets = learner._read(heard, TEXTS)
    for row, (own, text) in enumerate(zip(heard, TEXTS, strict=True)):
        alone, expected = learner._read([own], [text])
        length = expected.shape[1]
        torch.testing.assert_close(logits[row, :length], alone[0], atol=1e-5, rtol=1e-4)
        assert torch.equal(targets[row, :length], expected[0])
        assert (targets[row, length:] < 0).all()


def test_a_transcript_is_written_word_by_word_after_audio_and_separator(
    decoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(DECODER_VARIABLE, str(decoder))
    heard = [frames(text) for text in TEXTS]
    learner = TranscriptLearner(heard, TEXTS, heard, TEXTS, 4, seed=0)
    embed = learner.model.get_input_embeddings()

    def generate(inputs_embeds: torch.Tensor, attention_mask: torch.Tensor, **options: object) -> torch.Tensor:
        assert torch.equal(inputs_embeds[0, :-1], learner.probe(torch.from_numpy(heard[0])))
        assert torch.equal(inputs_embeds[0, -1], embed(torch.tensor(1)))
        assert torch.equal(attention_mask, torch.ones(inputs_embeds.shape[:2], dtype=torch.long))
        assert options == {
            "max_new_tokens": 200, "do_sample": False, "repetition_penalty": 1.1, "pad_token_id": 0, "eos_token_id": 0,
        }  # fmt: skip
        return torch.tensor([learner.tokenizer(f"one{learner.tokenizer.eos_token}").input_ids])

    learner.model = SimpleNamespace(generate=generate, get_input_embeddings=lambda: embed)
    assert learner.write(learner.probe, heard[0]) == "one"


@pytest.mark.filterwarnings("ignore:Passing `")  # the penalty is meant for new words alone
def test_a_task_is_scored_from_end_to_end(decoder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DECODER_VARIABLE, str(decoder))
    heard = [frames(text) for text in TEXTS]
    part = Part(
        np.concatenate(heard), texts=TEXTS, offsets=np.concatenate(([0], np.cumsum([len(one) for one in heard])))
    )
    job = ScoringJob(
        all_tasks()["librispeech"], {"all": part}, (Round(("all",), ("all",), ("all",)),), 40.0, 10, 0.07, 0
    )
    answer = transcripts(job)
    assert answer["measures"][0]["metric"] == "iWER"
    assert 0 <= answer["measures"][0]["low"] <= answer["measures"][0]["value"] <= answer["measures"][0]["high"] <= 1
    assert answer["n_test"] == 4
    assert (answer["corrected"], answer["folds"], answer["note"]) == (None, [], "")
    assert 0 < answer["seconds"] < 300


def test_word_errors_are_counted_per_item() -> None:
    found = word_errors(["one two three", "one"], ["one three", "two one"])
    assert found.errors.tolist() == [1.0, 1.0]
    assert found.words.tolist() == [3.0, 1.0]
    assert found.value == 0.5
