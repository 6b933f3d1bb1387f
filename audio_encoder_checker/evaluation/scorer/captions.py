"""Retrieval: captions and clips find one another through a contrastive head.

Like X-ARES's: audio goes through LayerNorm and two layers with a GELU between them, each token of a caption through
a trained embedding and two such layers, tokens are averaged, and both sides are pulled together by a symmetric
cross entropy over the batch with a learned temperature and a small penalty on the embeddings. Captions of one clip
are negatives of each other, and the loss takes raw products where the metric takes cosines (quirk 23).

What differs: X-ARES reads the word pieces of bert-base-uncased from the Hub. Here the words of the training captions
are the vocabulary, lower-cased; a word that is not among them is passed over, and so are punctuation and the two
tokens that BERT puts around each caption. Only the tokenizer is BERT's there, its
embeddings are trained from scratch as here, so the two agree as far as whole words carry the meaning.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from audio_encoder_checker.evaluation.scorer.metrics import recall_at_1

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from audio_encoder_checker.evaluation.scorer.statistics import Ratio

HIDDEN = 1024
TEMPERATURE = 0.07
"""At the start."""
WORD = re.compile(r"[a-z0-9]+")
UNKNOWN = 0
"""Token of a caption without any known word."""


class Words:
    """The vocabulary: words of the training captions, numbered from 1 in alphabetical order."""

    def __init__(self, captions: Sequence[str]) -> None:
        found = sorted({word for caption in captions for word in WORD.findall(caption.lower())})
        self.numbers = {word: number for number, word in enumerate(found, UNKNOWN + 1)}

    def tokens(self, caption: str) -> list[int]:
        """The numbers of a caption's known words, in their order."""
        known = (self.numbers.get(word, UNKNOWN) for word in WORD.findall(caption.lower()))
        return [number for number in known if number] or [UNKNOWN]


class Head(nn.Module):
    """Both sides and the temperature."""

    def __init__(self, dim: int, words: int, hidden: int) -> None:
        super().__init__()
        self.ln = nn.LayerNorm(dim)
        self.audio = nn.Sequential(nn.Linear(dim, hidden), nn.GELU(), nn.Linear(hidden, hidden))
        self.words = nn.Embedding(words, hidden)
        self.text = nn.Sequential(nn.Linear(hidden, hidden), nn.GELU(), nn.Linear(hidden, hidden))
        self.log_scale = nn.Parameter(torch.tensor(math.log(1 / TEMPERATURE)))

    def embed_audio(self, x: Tensor) -> Tensor:
        """[B, D] -> [B, E]."""
        embedded: Tensor = self.audio(self.ln(x))
        return embedded

    def embed_text(self, captions: Sequence[list[int]]) -> Tensor:
        """Tokens of B captions -> [B, E]; each word goes through the layers once, however often it occurs."""
        flat = torch.tensor([token for caption in captions for token in caption])
        owner = torch.tensor([row for row, caption in enumerate(captions) for _ in caption])
        unique, places = torch.unique(flat, return_inverse=True)
        vectors = self.text(self.words(unique))[places]  # [tokens, E]
        sums = torch.zeros(len(captions), vectors.shape[1]).index_add(0, owner, vectors)
        counts = torch.tensor([len(caption) for caption in captions])
        return sums / counts[:, None]


def contrastive_loss(audio: Tensor, text: Tensor, log_scale: Tensor) -> Tensor:
    """Symmetric cross entropy over pairs [B, E], with X-ARES's penalty on the embeddings."""
    similarity = log_scale.exp() * audio @ text.T
    pairs = torch.arange(len(audio))
    loss = (functional.cross_entropy(similarity, pairs) + functional.cross_entropy(similarity.T, pairs)) / 2
    for side in (audio, text):
        loss = loss + side.abs().mean() / side.square().sum().sqrt()
    return loss


@dataclass(eq=False)
class CaptionLearner:
    """A contrastive head on clips and their captions.

    Attributes:
        x: training embeddings [N, D].
        captions: of each training clip.
        valid_x: validation embeddings.
        valid_captions: of each validation clip.
        seed: of the initial weights.
    """

    x: NDArray[np.float32]
    captions: Sequence[Sequence[str]]
    valid_x: NDArray[np.float32]
    valid_captions: Sequence[Sequence[str]]
    seed: int

    def __post_init__(self) -> None:
        self.words = Words([caption for own in self.captions for caption in own])
        self._pairs = [(clip, self.words.tokens(one)) for clip, own in enumerate(self.captions) for one in own]
        self._x = torch.from_numpy(np.array(self.x))
        torch.manual_seed(self.seed)
        self.probe = Head(self._x.shape[1], len(self.words.numbers) + 1, HIDDEN)

    @property
    def items(self) -> int:
        """Pairs of a clip and one of its captions."""
        return len(self._pairs)

    def loss(self, batch: Tensor) -> Tensor:
        """Over some pairs."""
        clips, captions = zip(*(self._pairs[pair] for pair in batch.tolist()), strict=True)
        audio = self.probe.embed_audio(self._x[list(clips)])
        return contrastive_loss(audio, self.probe.embed_text(captions), self.probe.log_scale)

    def valid_metric(self) -> float:
        """Mean of both directions' recall."""
        return sum(one.value for one in self.measure(self.probe, self.valid_x, self.valid_captions)) / 2

    def measure(self, head: Any, x: NDArray[np.float32], captions: Sequence[Sequence[str]]) -> tuple[Ratio, Ratio]:
        """Recall@1 from audio to text, and from text to audio."""
        owner = np.repeat(np.arange(len(captions)), [len(own) for own in captions])
        with torch.no_grad():
            audio = head.embed_audio(torch.from_numpy(np.array(x)))
            text = head.embed_text([self.words.tokens(one) for own in captions for one in own])
        return recall_at_1(audio.numpy(), text.numpy(), owner)
