from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from audio_encoder_checker.evaluation.scorer.captions import UNKNOWN, CaptionLearner, Head, Words, contrastive_loss
from audio_encoder_checker.evaluation.scorer.linear import train
from audio_encoder_checker.evaluation.tasks import Training

CAPTIONS = [("a dog barks", "barking of a dog"), ("rain falls", "it rains"), ("a bell", "bell rings")]


def test_words_of_training_are_the_vocabulary_and_others_are_passed_over() -> None:
    words = Words(["A dog, barking!", "the dog"])
    assert list(words.numbers) == ["a", "barking", "dog", "the"]
    assert words.tokens("The BARKING cat") == [4, 2]
    assert words.tokens("cats") == [UNKNOWN]


def test_a_word_is_embedded_once_and_counts_as_often_as_it_occurs() -> None:
    torch.manual_seed(0)
    head = Head(3, 5, hidden=8)
    together = head.embed_text([[1, 2, 1], [3]])
    alone = head.text(head.words(torch.tensor([1, 2, 1]))).mean(0)
    torch.testing.assert_close(together[0], alone)
    torch.testing.assert_close(together[1], head.text(head.words(torch.tensor([3])))[0])


def test_the_loss_is_that_of_the_definition() -> None:
    draw = torch.Generator().manual_seed(0)
    audio, text = torch.randn(6, 4, generator=draw), torch.randn(6, 4, generator=draw)
    similarity = (2.0 * audio @ text.T).double()
    pairs = [functional.log_softmax(one, dim=1).diagonal().mean() for one in (similarity, similarity.T)]
    penalty = sum((side.abs().mean() / side.norm()).double() for side in (audio, text))
    expected = -(pairs[0] + pairs[1]) / 2 + penalty
    found = contrastive_loss(audio, text, torch.tensor(2.0).log())
    assert found.item() == pytest.approx(float(expected), rel=1e-5)


def learner(seed: int, apart: float = 5.0) -> CaptionLearner:
    draw = np.random.default_rng(0)
    kinds = np.arange(64) % 3
    x = (apart * np.eye(3, 12)[kinds] + draw.standard_normal((64, 12))).astype(np.float32)
    captions = [CAPTIONS[kind] for kind in kinds]
    return CaptionLearner(x[:60], captions[:60], x[60:63], captions[60:63], seed)


def test_captions_find_the_clips_that_they_tell_of() -> None:
    found = learner(1)
    head = found.probe
    assert (head.words.num_embeddings, head.words.embedding_dim) == (12, 1024)  # eleven words, and one for none
    assert head.log_scale.exp().item() == pytest.approx(1 / 0.07)
    trained = train(found, Training(5, 32, 1e-3), shuffle=1)
    there, back = found.measure(trained.best, found.valid_x, found.valid_captions)
    assert there.value == back.value == max(trained.valid_metrics) == 1.0


def test_a_seed_gives_the_same_training() -> None:
    once, again, other = (train(learner(seed), Training(1, 32, 1e-3), shuffle=seed).step_losses for seed in (1, 1, 2))
    assert once == again
    assert once != other
