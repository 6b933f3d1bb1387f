"""AEC50x-AEC51x: what the encoder declares and what one call returns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from audio_encoder_checker.catalogue import check
from audio_encoder_checker.evidence.contract import HIGHEST_RATE_HZ, LOWEST_RATE_HZ, EncodeTraces, Trace
from audio_encoder_checker.evidence.load import EncoderFacts
from audio_encoder_checker.evidence.run import Ending
from audio_encoder_checker.findings import Problem, Severity

WHOLE = ("output_dim", "sampling_rate")


def _calls(traces: Sequence[Trace]) -> str:
    """The first of some calls in words, and how many more there were."""
    more = len(traces) - 1
    return traces[0].call + (f" (and {more} other call{'' if more == 1 else 's'})" if more else "")


@check("AEC501")
def missing_attribute(encoder: EncoderFacts) -> Iterator[Problem]:
    """An attribute that the contract asks for is missing.

    The organisers' code reads `sampling_rate` to resample, `output_dim` to size the linear layer and
    `hop_size_in_ms` to align frame labels.

    Fix: set `self.sampling_rate`, `self.output_dim` and `self.hop_size_in_ms` in `__init__`.
    """
    for attribute in encoder.attributes:
        if not attribute.present:
            hint = f"add `self.{attribute.name} = ...` to `{encoder.class_name}.__init__`"
            yield Problem(f"{encoder.class_name} has no attribute {attribute.name!r}", at=encoder.file, hint=hint)


@check("AEC502")
def wrong_attribute_value(encoder: EncoderFacts) -> Iterator[Problem]:
    """An attribute of the contract is no positive number, or no whole one where it has to be.

    X-ARES uses the values unchecked: a `sampling_rate` of "16k" breaks resampling in the middle of the
    evaluation, a wrong `hop_size_in_ms` shifts every frame label silently.

    Fix: use plain numbers: `self.sampling_rate = 16000`, `self.output_dim = 768`, `self.hop_size_in_ms = 20`.
    """
    for attribute in encoder.attributes:
        if not attribute.present:
            continue
        value = attribute.value
        whole = attribute.name in WHOLE
        if value is None or value <= 0 or (whole and attribute.type not in ("int", "int64", "int32")):
            expected = "a positive whole number (int)" if whole else "a positive number of milliseconds"
            found = f"{attribute.text} ({attribute.type})"
            yield Problem(f"{attribute.name}: expected {expected}, found {found}", at=encoder.file)
        elif attribute.name == "sampling_rate" and not LOWEST_RATE_HZ <= value <= HIGHEST_RATE_HZ:
            hint = "give the rate in Hz: `self.sampling_rate = 16000`"
            expected = f"{LOWEST_RATE_HZ:,} to {HIGHEST_RATE_HZ:,} Hz"
            yield Problem(f"sampling_rate: expected {expected}, found {attribute.text}", encoder.file, hint)


@check("AEC503")
def zero_frames(traces: EncodeTraces) -> Iterator[Problem]:
    """The encoder returns no frames for a clip.

    Every task pools or labels frames, so a clip without frames has no embedding. The official checker does
    not notice; the official template, unedited, does exactly this.

    Fix: compute the number of frames from samples, `audio.shape[-1] // hop_samples`, and pad short clips.
    """
    empty = [trace for trace in traces.completed if trace.frames == 0]
    if empty and empty[0].returned:
        yield Problem(f"{_calls(empty)} gave shape {empty[0].returned.shape}")


@check("AEC504")
def forward_failure(traces: EncodeTraces) -> Iterator[Problem]:
    """The encoder raises an exception on ordinary audio.

    This is the one call that the official checker makes, noise of shape (2, 50000); a submission that fails
    it is not accepted.

    Fix: run `YourEncoder()(torch.randn(2, 50000))` and mend what it shows.
    """
    reference = traces.reference
    raised = reference.outcome.raised
    if raised:
        yield Problem(f"{reference.call} raised {raised}", at=raised.at)


@check("AEC505")
def batch_size_failure(traces: EncodeTraces) -> Iterator[Problem]:
    """The encoder fails at one batch size and works at another.

    X-ARES encodes 16 clips at a time, but one at a time for MAESTRO, Fluent Speech Commands and Vocal
    Imitation, and whatever is left over in the last batch of every data set.

    Fix: index or squeeze the dimension you mean, `.squeeze(1)`, never `.squeeze()`.
    """
    if traces.reference.returned is None:
        return
    official = traces.reference.samples
    for trace in traces.raised():
        if trace.samples == official and trace is not traces.reference:
            yield Problem(f"a batch of {trace.batch} raised {trace.outcome}", at=trace.outcome.at)


@check("AEC506")
def length_failure(traces: EncodeTraces) -> Iterator[Problem]:
    """The encoder fails on clips of some length.

    The data sets hold clips from a tenth of a second (Speech Commands, Vocal Imitation) to many minutes
    (MAESTRO); one failing clip ends the evaluation of its task.

    Fix: pad short clips to the shortest the model takes, and encode long ones in chunks.
    """
    official = traces.reference.samples
    failed = traces.raised(batch=1)
    if any(trace.samples == official for trace in failed):
        return  # the batch size is to blame, not the length
    for short in (True, False):
        same = [trace for trace in failed if (trace.samples < official) is short]
        if same:
            hint = "pad it: `audio = F.pad(audio, (0, max(0, shortest - audio.shape[-1])))`" if short else ""
            yield Problem(f"{_calls(same)} raised {same[0].outcome}", at=same[0].outcome.at, hint=hint)


@check("AEC507")
def death_in_forward(traces: EncodeTraces) -> Iterator[Problem]:
    """The process ends during a call of the encoder.

    The organisers' run ends with it, and every score is lost. An exit status of 0 is no excuse: the encoder
    did not answer.

    Fix: remove `exit()` or `os._exit()`; for a crash in compiled code call the encoder under
        `python -X faulthandler`.
    """
    trace = traces.broken_off
    if trace and trace.outcome.ending in (Ending.EXITED, Ending.KILLED, Ending.GARBLED):
        yield Problem(f"{trace.call}: the process ended without an answer ({trace.outcome})")


@check("AEC508")
def endless_forward(traces: EncodeTraces) -> Iterator[Problem]:
    """A call of the encoder does not come back in time.

    The evaluation encodes some two hundred hours of audio; at this rate it would not end.

    Fix: look for a loop that waits for a condition on the data; `--timeout SECONDS` allows more.
    """
    trace = traces.broken_off
    if trace and trace.outcome.ending is Ending.TIMED_OUT:
        yield Problem(f"{trace.call}: {trace.outcome.detail}")


@check("AEC509")
def no_tensor(traces: EncodeTraces) -> Iterator[Problem]:
    """The encoder returns something other than a tensor.

    X-ARES stores what it gets as one array `[B, T', D]`; the official checker refuses tuples and output
    objects.

    Fix: return the hidden states themselves, for a transformers model `return output.last_hidden_state`.
    """
    returned = traces.reference.returned
    if returned and returned.kind != "tensor":
        held = f" holding {returned.contains}" if returned.contains else ""
        yield Problem(f"expected a torch.Tensor, found {returned.kind}{held}")


@check("AEC510")
def wrong_shape(traces: EncodeTraces, encoder: EncoderFacts) -> Iterator[Problem]:
    """The embeddings do not have the shape [B, T', D].

    Linear layers are sized by `output_dim` and frames are read from the second axis; the official checker
    refuses anything else.

    Fix: return `[batch, frames, output_dim]`; `print(YourEncoder()(torch.randn(2, 50000)).shape)` shows yours.
    """
    dim = encoder.number("output_dim")
    for trace in traces.completed:
        problem = _shape_problem(trace, None if dim is None else int(dim))
        if problem:
            yield problem
            return


def _shape_problem(trace: Trace, dim: int | None) -> Problem | None:
    shape = trace.returned.shape if trace.returned else ()
    if len(shape) != 3:
        return Problem(f"{trace.call}: expected 3 axes [B, T', D], found shape {shape}", hint=_axes_hint(shape, dim))
    if shape[0] != trace.batch:
        return Problem(f"{trace.call}: expected {trace.batch} clips along the first axis, found shape {shape}")
    if dim is not None and shape[2] != dim:
        message = f"{trace.call}: expected output_dim={dim} along the last axis, found shape {shape}"
        if shape[1] == dim:
            return Problem(message, hint="time and features are swapped: `return output.transpose(1, 2)`")
        return Problem(message, hint=f"set `self.output_dim = {shape[2]}`, or return the layer that has {dim} features")
    return None


def _axes_hint(shape: tuple[int, ...], dim: int | None) -> str:
    if len(shape) == 2 and dim in shape:
        return (
            "keep the time axis: return the features of every frame, not their mean; at a batch of one do not squeeze"
        )
    return ""


@check("AEC511")
def unreadable_dtype(traces: EncodeTraces) -> Iterator[Problem]:
    """The embeddings cannot be turned into a numpy array.

    X-ARES calls `.numpy()` on every embedding to store it; bfloat16 and other dtypes that numpy does not
    know raise there, after hours of encoding.

    Fix: end forward with `return output.float()`.
    """
    for trace in traces.completed[:1]:
        if trace.returned and trace.returned.numpy_error:
            yield Problem(f"embeddings of dtype {trace.returned.dtype}: {trace.returned.numpy_error}")


@check("AEC512")
def dtype_not_float32(traces: EncodeTraces) -> Iterator[Problem]:
    """The embeddings are not float32.

    Track A trains a float32 linear layer on them: float16 and float64 raise a dtype error there, and whole
    numbers, booleans and complex numbers cannot be trained on at all.

    Fix: end forward with `return output.float()`.
    """
    for trace in traces.completed[:1]:
        returned = trace.returned
        if returned and not returned.numpy_error and returned.dtype != "float32":
            yield Problem(f"embeddings of dtype {returned.dtype}, expected float32")


@check("AEC513")
def nonfinite_embedding(traces: EncodeTraces) -> Iterator[Problem]:
    """The embeddings hold NaN or infinite values.

    X-ARES does not notice: every score of the task silently becomes that of guessing the first class.

    Fix: find the operation, often a logarithm or a division by a norm on silence: `torch.log(x + 1e-6)`,
        `x / x.norm().clamp(min=1e-6)`.
    """
    broken = [trace for trace in traces.completed if trace.returned and trace.returned.nonfinite]
    if broken and broken[0].returned:
        yield Problem(f"{_calls(broken)} gave {broken[0].returned.nonfinite} values that are NaN or infinite")


@check("AEC514", severity=Severity.WARNING)
def layers_in_training_mode(encoder: EncoderFacts) -> Iterator[Problem]:
    """Dropout or normalisation layers are left in training mode.

    X-ARES never calls `.eval()`: such layers drop features at random or mix the clips of a batch, and the
    scores suffer.

    Fix: end `__init__` with `self.eval()`.
    """
    if encoder.training:
        names = ", ".join(encoder.training)
        yield Problem(f"in training mode after construction: {names}", at=encoder.file)
