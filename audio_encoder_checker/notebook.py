"""The call for notebooks: same name, same call and same answer as the official function, better messages.

This runs in the caller's own process, on the caller's own encoder object: it asks the child's contract
questions (`child/load.py`, `child/encode.py`) without a box, and judges the answers with the same checks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audio_encoder_checker.catalogue import all_checks
from audio_encoder_checker.child import encode, failure
from audio_encoder_checker.child.load import describe
from audio_encoder_checker.cli.console import say
from audio_encoder_checker.evidence.contract import OFFICIAL, EncodeTraces, Trace
from audio_encoder_checker.evidence.landmarks import Landmarks
from audio_encoder_checker.evidence.run import Ending, Outcome
from audio_encoder_checker.judging import Evidence, judge
from audio_encoder_checker.rules import Rules, load_rules
from audio_encoder_checker.sandbox.ask import read_raised
from audio_encoder_checker.stages.asking import decode
from audio_encoder_checker.stages.contract import USUAL_RATE_HZ
from audio_encoder_checker.stages.load import read_encoder

if TYPE_CHECKING:
    from audio_encoder_checker.evidence.load import EncoderFacts
    from audio_encoder_checker.findings import Finding

OFFICIAL_IDS = {"AEC407", "AEC408", "AEC501", "AEC504", "AEC509", "AEC510"}
"""Checks that the official function makes too: they alone decide what is returned."""
AUDIO_SEED = 42


def check_audio_encoder(encoder: Any) -> bool:
    """Check an encoder object with the official call, and print what is found.

    Args:
        encoder: an instance of your encoder class.

    Returns:
        What the official `check_audio_encoder` returns: True if the class name ends in `Encoder`, it is a
        `torch.nn.Module` with the three attributes, and noise of shape (2, 50000) gives a tensor
        `[2, T', output_dim]`. Findings that the official function does not know are printed all the same;
        `aecc-check` judges everything, in a box.
    """
    findings = _findings(encoder, load_rules())
    for finding in findings:
        if finding.because_of:
            say(f"  so: {finding.id} {finding.name}: {finding.message}")
            continue
        say(
            f"{finding.severity.value} {finding.id} {finding.name}: {finding.message}\n"
            f"  why: {finding.why}\n  fix: {finding.hint}"
        )
    accepted = not any(finding.id in OFFICIAL_IDS for finding in findings)
    if accepted and findings:
        say("the official function accepts this encoder, but see above; `aecc-check` judges the whole submission")
    return accepted


def _findings(encoder: Any, rules: Rules) -> tuple[Finding, ...]:
    facts = read_encoder(describe(encoder), "this encoder", 0.0)
    evidence = Evidence()
    evidence.put(facts, rules, Landmarks())
    if facts.is_module and all(attribute.present for attribute in facts.attributes):
        evidence.put(EncodeTraces((_official_call(encoder, facts, rules),)))
    return judge(evidence, all_checks()).findings


def _official_call(encoder: Any, facts: EncoderFacts, rules: Rules) -> Trace:
    import numpy as np

    batch, samples = rules.contract.official_batch, rules.contract.official_samples
    noise = np.random.default_rng(AUDIO_SEED).standard_normal((batch, samples)).astype("float32")
    seconds = samples / (facts.number("sampling_rate") or USUAL_RATE_HZ)
    try:
        audio = encode.waveforms(memoryview(bytearray(noise.tobytes())), [batch, samples], "cpu")
        header, payload = encode.call(encoder, audio, rules.limits.answer_bytes, {"grad": True})
    except Exception as error:  # noqa: BLE001 - whatever the encoder raises is what is being judged
        raised = read_raised(failure.describe(error, ""))
        return Trace(OFFICIAL, batch, samples, seconds, Outcome(Ending.RAISED, 0.0, raised=raised))
    returned, _ = decode(header, memoryview(payload))
    return Trace(OFFICIAL, batch, samples, seconds, Outcome(Ending.ANSWERED, 0.0), returned)
