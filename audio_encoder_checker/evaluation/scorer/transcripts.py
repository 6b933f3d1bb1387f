"""ASR: a frozen language model reads the frames through a small trained adapter and writes what was said.

As in X-ARES: the adapter (two linear layers, one gated by the other through a SiLU, and a third) turns each frame
into an input embedding of the language model, a separator follows, then the transcript. Training is teacher-forced
cross entropy on separator, transcript and end; the epoch is chosen by the word error rate of teacher-forced
predictions; the test transcripts are generated. X-ARES trains under `autocast("cuda")` and samples with `top_k=1`; here
everything runs in float32 on the CPU and decoding is greedy, which is the same choice of words.

The decoder comes from the extra `asr` and from disk: its folder is named by `AECC_ASR_DECODER`, or it lies in the Hub's
cache.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence

from audio_encoder_checker.evaluation.decoder import find_decoder
from audio_encoder_checker.evaluation.scorer.bootstrap import measured
from audio_encoder_checker.evaluation.scorer.linear import train
from audio_encoder_checker.evaluation.scorer.rounds import Items
from audio_encoder_checker.evaluation.scorer.statistics import InvertedWordErrorRate
from audio_encoder_checker.evaluation.scorer.tracks import Answer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from audio_encoder_checker.evaluation.job import ScoringJob

SEPARATOR = "<|vision_end|>"
IGNORED = -100
"""Target of a place that the loss passes over."""
NEW_TOKENS = 200
REPETITION_PENALTY = 1.1


class Adapter(nn.Module):
    """Frames [..., D] to input embeddings [..., E] of a language model."""

    def __init__(self, dim: int, inner: int, embedding: int) -> None:
        super().__init__()
        self.gate = nn.Linear(dim, inner)
        self.value = nn.Linear(dim, inner)
        self.out = nn.Linear(inner, embedding)

    def forward(self, frames: Tensor) -> Tensor:
        """See the class."""
        adapted: Tensor = self.out(functional.silu(self.gate(frames)) * self.value(frames))
        return adapted


@dataclass(eq=False)
class TranscriptLearner:
    """An adapter in front of a frozen language model.

    Attributes:
        frames: of each training item, [T, D].
        texts: their transcripts.
        valid_frames: of each validation item.
        valid_texts: their transcripts.
        batch: items in a validation batch.
        seed: of the adapter's initial weights.
    """

    frames: Sequence[NDArray[np.float32]]
    texts: Sequence[str]
    valid_frames: Sequence[NDArray[np.float32]]
    valid_texts: Sequence[str]
    batch: int
    seed: int

    def __post_init__(self) -> None:
        from transformers import AutoModelForCausalLM, AutoTokenizer

        folder = str(find_decoder())
        self.tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        self.model: Any = AutoModelForCausalLM.from_pretrained(folder, local_files_only=True, dtype=torch.float32)
        self.model.eval().requires_grad_(requires_grad=False)
        shape = self.model.config
        torch.manual_seed(self.seed)
        self.probe = Adapter(self.frames[0].shape[1], shape.intermediate_size, shape.hidden_size)

    @property
    def items(self) -> int:
        """Training items."""
        return len(self.texts)

    def loss(self, batch: Tensor) -> Tensor:
        """Cross entropy of the transcripts of some items."""
        logits, targets = self._read([self.frames[i] for i in batch], [self.texts[i] for i in batch])
        return functional.cross_entropy(logits[:, :-1].flatten(0, 1), targets[:, 1:].flatten(), ignore_index=IGNORED)

    def valid_metric(self) -> float:
        """IWER of the words that each place would choose, the true ones standing before it."""
        said: list[str] = []
        for start in range(0, len(self.valid_texts), self.batch):
            rows = slice(start, start + self.batch)
            logits, targets = self._read(self.valid_frames[rows], self.valid_texts[rows])
            for chosen, target in zip(logits[:, :-1].argmax(-1), targets[:, 1:], strict=True):
                words = chosen[target != IGNORED][1:]  # the first is for the separator
                said.append(self.tokenizer.decode(words, skip_special_tokens=True))
        return word_errors(self.valid_texts, said).value

    @torch.no_grad()
    def write(self, adapter: Any, frames: NDArray[np.float32]) -> str:
        """The transcript that is generated for the frames [T, D] of one item."""
        heard = adapter(torch.from_numpy(frames.copy()))[None]
        separator = self.model.get_input_embeddings()(self._tokens(SEPARATOR))[None]
        written = self.model.generate(
            inputs_embeds=torch.cat((heard, separator), dim=1),
            attention_mask=torch.ones(1, heard.shape[1] + separator.shape[1], dtype=torch.long),
            max_new_tokens=NEW_TOKENS,
            do_sample=False,
            repetition_penalty=REPETITION_PENALTY,
            pad_token_id=self.tokenizer.eos_token_id,
            eos_token_id=self.tokenizer.eos_token_id,
        )
        text: str = self.tokenizer.decode(written[0], skip_special_tokens=True)
        return text

    def _tokens(self, text: str) -> Tensor:
        return torch.tensor(self.tokenizer(text, add_special_tokens=False).input_ids)

    def _read(self, frames: Sequence[NDArray[np.float32]], texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Logits [B, L, V] and targets [B, L] of audio, separator, transcript and end."""
        embed = self.model.get_input_embeddings()
        rows, targets = [], []
        for own, text in zip(frames, texts, strict=True):
            tokens = self._tokens(f"{SEPARATOR}{text}{self.tokenizer.eos_token}")
            heard = self.probe(torch.from_numpy(own.copy()))
            rows.append(torch.cat((heard, embed(tokens))))
            targets.append(torch.cat((torch.full((len(heard),), IGNORED), tokens)))
        mask = pad_sequence([torch.ones(len(row), dtype=torch.long) for row in rows], batch_first=True)
        logits = self.model(inputs_embeds=pad_sequence(rows, batch_first=True), attention_mask=mask).logits
        return logits, pad_sequence(targets, batch_first=True, padding_value=IGNORED)


def word_errors(true: Sequence[str], said: Sequence[str]) -> InvertedWordErrorRate:
    """Word errors of each transcript, counted by jiwer."""
    import jiwer

    errors, words = [], []
    for reference, hypothesis in zip(true, said, strict=True):
        found = jiwer.process_words(reference, hypothesis)
        errors.append(found.substitutions + found.deletions + found.insertions)
        words.append(found.hits + found.substitutions + found.deletions)
    return InvertedWordErrorRate(np.array(errors, dtype=np.float64), np.array(words, dtype=np.float64))


def transcripts(job: ScoringJob) -> Answer:
    """Train an adapter and report iWER on the test items."""
    start = time.perf_counter()
    (one,) = job.rounds
    learn, valid, test = (Items(job, names) for names in one)
    learner = TranscriptLearner(
        learn.item_frames(), learn.texts(), valid.item_frames(), valid.texts(), job.task.training.batch_size, job.seed
    )
    trained = train(learner, job.task.training, shuffle=job.seed)
    said = [learner.write(trained.best, frames) for frames in test.item_frames()]
    statistic = word_errors(test.texts(), said)
    return Answer(
        measures=[measured(job.task.metric, [statistic], job.seed)],
        corrected=None,
        folds=[],
        n_test=statistic.items,
        seconds=time.perf_counter() - start,
        note="",
    )
