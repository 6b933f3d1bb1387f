"""AEC50x-AEC51x: what one call returns: its type, shape, dtype and values."""

from __future__ import annotations

from collections.abc import Iterator

from audio_encoder_checker.catalogue import check
from audio_encoder_checker.checks.few import calls
from audio_encoder_checker.evidence.contract import AFTER_NAN, EncodeTraces, Returned, Trace
from audio_encoder_checker.evidence.landmarks import LandmarkKind, Landmarks
from audio_encoder_checker.evidence.load import EncoderFacts
from audio_encoder_checker.findings import Problem, Severity

SHORTEST_FRAME_S = 0.1
"""Every clip as long as this has to give a frame."""


@check("AEC503")
def zero_frames(traces: EncodeTraces, landmarks: Landmarks) -> Iterator[Problem]:
    """The encoder returns no frames for a clip.

    Every task pools or labels frames, so a clip without frames has no embedding. The official checker does
    not notice; the official template, unedited, does exactly this.

    Fix: compute the number of frames from samples, `audio.shape[-1] // hop_samples`, and pad short clips.
    """
    empty = [trace for trace in traces.completed if trace.frames == 0]
    if not empty or not empty[0].returned:
        return
    longest = max(trace.seconds for trace in empty)
    severity = Severity.ERROR if longest >= SHORTEST_FRAME_S else Severity.WARNING
    message = f"{calls(empty)} gave shape {empty[0].returned.shape}, which holds no frames"
    yield Problem(message, landmarks.at(LandmarkKind.RETURN), severity=severity)


@check("AEC509")
def no_tensor(traces: EncodeTraces, encoder: EncoderFacts, landmarks: Landmarks) -> Iterator[Problem]:
    """The encoder returns something other than a tensor.

    X-ARES stores what it gets as one array `[B, T', D]`; the official checker refuses tuples and output
    objects.

    Fix: return the hidden states themselves, for a transformers model `return output.last_hidden_state`.
    """
    returned = traces.reference.returned
    if returned and returned.kind != "tensor":
        held = ", ".join(f"{name}: {words}" for name, words in returned.fields)
        found = f"{returned.kind} holding {held}" if held else returned.kind
        hint = _field_hint(returned, encoder.number("output_dim"))
        yield Problem(f"expected a torch.Tensor, found {found}", landmarks.at(LandmarkKind.RETURN), hint)


def _field_hint(returned: Returned, dim: float | None) -> str:
    """The part that was probably meant: three axes, the last of them as declared."""
    wanted = f", {dim:g})" if dim else ")"
    for name, words in returned.fields:
        if words.endswith(wanted) and words.count(",") == 2:
            part = f"output[{name}]" if name.isdigit() else f"output.{name}"
            return f"return the part of shape {words}: `return {part}`"
    return ""


@check("AEC510")
def wrong_shape(traces: EncodeTraces, encoder: EncoderFacts, landmarks: Landmarks) -> Iterator[Problem]:
    """The embeddings do not have the shape [B, T', D].

    B is clips, T' frames and D features: X-ARES sizes its linear layer by `output_dim` and reads frames from the second
    axis. The official checker refuses anything else.

    Fix: return `[batch, frames, output_dim]`; `print(YourEncoder()(torch.randn(2, 50000)).shape)` shows yours.
    """
    dim = encoder.number("output_dim")
    good_batch = any(trace.frames is not None and trace.batch > 1 for trace in traces.completed)
    for trace in traces.completed:
        problem = _shape_problem(trace, None if dim is None else int(dim), landmarks, good_batch=good_batch)
        if problem:
            yield problem
            return


def _shape_problem(trace: Trace, dim: int | None, landmarks: Landmarks, *, good_batch: bool) -> Problem | None:
    shape = trace.returned.shape if trace.returned else ()
    at = landmarks.at(LandmarkKind.RETURN)
    if len(shape) != 3:
        message = f"{trace.call}: expected 3 axes [B, T', D], found shape {shape}"
        if trace.batch == 1 and good_batch:
            squeeze = landmarks.at(LandmarkKind.SQUEEZE)
            return Problem(message, squeeze or at, "a batch of one loses its axis: `.squeeze(1)`, never `.squeeze()`")
        return Problem(message, at, _axes_hint(shape, trace.batch, dim))
    if shape[0] != trace.batch:
        message = f"{trace.call}: expected {trace.batch} clips along the first axis, found shape {shape}"
        return Problem(message, at, _batch_hint(shape, trace.batch))
    if dim is not None and shape[2] != dim:
        message = f"{trace.call}: expected output_dim={dim} along the last axis, found shape {shape}"
        if shape[1] == dim:
            return Problem(message, at, "time and features are swapped: `return output.transpose(1, 2)`")
        return Problem(message, landmarks.at(LandmarkKind.OUTPUT_DIM) or at, _layer_hint(trace, shape[2], dim))
    return None


def _axes_hint(shape: tuple[int, ...], batch: int, dim: int | None) -> str:
    if len(shape) == 2 and shape[0] == batch:
        return "keep the time axis: return the features of every frame, not their mean"
    if len(shape) == 2 and dim in shape:
        return "the batch axis is missing: do not index or squeeze it away, `return output` of shape [B, T', D]"
    if len(shape) == 4 and shape[0] == 1 and shape[1] == batch:
        return "a further axis stands in front: `return output.squeeze(0)`"
    if len(shape) == 4:
        return "fold channels into features: `return output.permute(0, 2, 1, 3).flatten(2)`"
    return ""


def _batch_hint(shape: tuple[int, ...], batch: int) -> str:
    if shape[1] == batch:
        return "time comes first: `return output.transpose(0, 1)`, or build the layer with `batch_first=True`"
    if shape[0] == 1:
        return "the batch was taken for one clip: give a feature extractor a list of clips, `list(audio.cpu().numpy())`"
    return ""


def _layer_hint(trace: Trace, found: int, dim: int) -> str:
    """Where the declared features come from, if a submodule gave so many."""
    layers = trace.returned.layers if trace.returned else ()
    giving = [name for name, shape in layers if len(shape) == 3 and shape[-1] == dim]
    other = f"return the output of `self.{giving[-1]}`" if giving else f"return the layer that has {dim} features"
    return f"set `self.output_dim = {found}`, or {other}"


@check("AEC511")
def unreadable_dtype(traces: EncodeTraces, landmarks: Landmarks) -> Iterator[Problem]:
    """The embeddings cannot be turned into a numpy array.

    X-ARES calls `.numpy()` on every embedding to store it; bfloat16 and other dtypes that numpy does not
    know raise there, after hours of encoding.

    Fix: end forward with `return output.float()`.
    """
    at = landmarks.at(LandmarkKind.RETURN)
    for trace in traces.completed[:1]:
        if trace.returned and trace.returned.numpy_error:
            yield Problem(f"embeddings of dtype {trace.returned.dtype}: {trace.returned.numpy_error}", at)


@check("AEC512", follows=("AEC511",))
def dtype_not_float32(traces: EncodeTraces, landmarks: Landmarks) -> Iterator[Problem]:
    """The embeddings are not float32.

    Track A trains a float32 linear layer on them: float16 and float64 raise a dtype error there, and whole
    numbers, booleans and complex numbers cannot be trained on at all.

    Fix: end forward with `return output.float()`.
    """
    at = landmarks.at(LandmarkKind.RETURN)
    for trace in traces.completed[:1]:
        returned = trace.returned
        if returned and not returned.numpy_error and returned.dtype != "float32":
            hint = "end forward with `return output.abs().float()`" if returned.dtype.startswith("complex") else ""
            yield Problem(f"embeddings of dtype {returned.dtype}, expected float32", at, hint)


@check("AEC513", follows=("AEC519",))
def nonfinite_embedding(traces: EncodeTraces) -> Iterator[Problem]:
    """The embeddings hold NaN or infinite values.

    X-ARES does not notice: every score of the task silently becomes that of guessing the first class.

    Fix: find the operation, often a logarithm or a division by a norm on silence: `torch.log(x + 1e-6)`,
        `x / x.norm().clamp(min=1e-6)`.
    """
    broken = [trace for trace in traces.completed if trace.returned and trace.returned.nonfinite]
    if broken and broken[0].returned:
        before = traces.traces[: traces.traces.index(broken[0])]
        kept = any(trace.label == AFTER_NAN for trace in (*before, broken[0]))
        message = f"{calls(broken)} gave {broken[0].returned.nonfinite} values that are NaN or infinite"
        yield Problem(message, own_cause=not kept)
