"""Literal reports for all renderers."""

from __future__ import annotations

from audio_encoder_checker.evidence.behaviour import (
    AfterNan,
    BatchCompany,
    Difference,
    Loudness,
    MemoryGrowth,
    Repeatability,
    SecondStart,
    Spread,
    Tolerance,
    Tolerances,
    ZeroPadding,
)
from audio_encoder_checker.evidence.contract import Cell, CellState, HopFit, SurvivalMap
from audio_encoder_checker.evidence.device import DeviceFacts
from audio_encoder_checker.evidence.evaluation import EncodingFacts, Reference, References, TaskRun
from audio_encoder_checker.evidence.installing import Difference as Version
from audio_encoder_checker.evidence.installing import InstallFacts, Origin, Package, RefusedLine, TargetDifferences
from audio_encoder_checker.evidence.network import (
    Condition,
    HubFile,
    LookUp,
    Moment,
    NetworkFacts,
    Restart,
    Restarts,
    Transfer,
    Way,
    Went,
)
from audio_encoder_checker.evidence.run import Attempt, AttemptKind, Isolation, Probe
from audio_encoder_checker.evidence.scores import Measure, TaskScore, TrackScores
from audio_encoder_checker.evidence.submission import Submission, SubmissionKind
from audio_encoder_checker.findings import Finding, Severity, SourceLine
from audio_encoder_checker.judging import Evidence, Judgement, Skipped
from audio_encoder_checker.report import Report
from tests.forecasts import RAM, TIME, forecast
from tests.literals import ANSWERED, conduct, encoder, raised, tensor, trace, traces, usage

EQUAL = Difference(same_shape=True, relative=0.0, cosine=1.0)
NEAR = Difference(same_shape=True, relative=4.9e-7, cosine=0.9999)
NAN = Difference(same_shape=True, relative=float("inf"), cosine=0.0)

COMMIT = "0123456789abcdef0123456789abcdef01234567"
LOADING = Moment("load")
LEDGER = NetworkFacts(
    (
        Transfer(
            LOADING, Way.HUB, "huggingface.co", 443, "GET", "/lab/frames/resolve/main/weights.pt",
            HubFile("lab/frames", "model", "main", "weights.pt", COMMIT), 200, 90_000_000, 0, 1.5, "ab" * 32, "ab" * 32,
            whole=True,
        ),
        Transfer(LOADING, Way.PROXY, "zenodo.org", 443, "CONNECT", received_bytes=5_000, sent_bytes=700, whole=True),
        Transfer(LOADING, Way.PROXY, "evil.example", 443, "CONNECT", status=403, refused="none of the declared hosts"),
    ),
    (LookUp(LOADING, "evil.example", known=False),),
)  # fmt: skip
RESTARTS = Restarts(
    (
        Restart(Condition.CUT_OFF, ANSWERED, Went.WELL, EQUAL),
        Restart(Condition.OFFLINE_MODE, ANSWERED, Went.WELL, EQUAL),
        Restart(Condition.CUT, raised("ReadError", "reset"), Went.CLEARLY, requests=2),
    )
)
INSTALLED = InstallFacts(
    "uv 0.13.9", "3.11.7",
    (Package("einops", "0.8.1", Origin.WHEEL), Package("torch", "2.13.0", Origin.LENT)),
    (RefusedLine("requirements.txt:3", "-e .", "the option -e is not passed on"),),
    constraints=("the packages of colab-t4",), seconds=4.2, key="ab" * 20,
)  # fmt: skip

STAGES = ("archive", "source", "load", "contract", "evaluate")


def finding(
    severity: Severity = Severity.ERROR,
    check_id: str = "AEC505",
    message: str = "a batch of 1 raised x",
    *,
    because_of: str = "",
    at: str = "encoder.py:12",
    excerpt: tuple[SourceLine, ...] = (),
) -> Finding:
    return Finding(
        id=check_id,
        name="batch-size-failure",
        severity=severity,
        stage="contract",
        title="The encoder fails at one batch size and works at another.",
        why="X-ARES encodes 16 clips at a time, but one at a time for MAESTRO.",
        message=message,
        at=at,
        hint="index or squeeze the dimension you mean, `.squeeze(1)`, never `.squeeze()`.",
        because_of=because_of,
        excerpt=excerpt,
    )


def score(task: str, value: float) -> TaskScore:
    measure = Measure("accuracy", value, value - 0.05, value + 0.05)
    beside = (Measure("cosine KNN", value + 0.01, value - 0.04, value + 0.06),)
    return TaskScore(task, measure, 240, 240.0, 1.5, beside, corrected=measure, folds=(value, value), note="a note")


def full_evidence() -> Evidence:
    evidence = Evidence()
    evidence.put(
        Submission("team.zip", SubmissionKind.ARCHIVE, "0" * 64, 1_234_567),
        LEDGER,
        RESTARTS,
        INSTALLED,
        TargetDifferences("colab-t4", (Version("torch", "2.13.0", "2.11.0"),)),
        Isolation(
            "medium",
            ("Landlock (ABI 7)", "no capabilities"),
            "polled",
            "denied",
            ("bugs of the kernel",),
            why_not_stronger="strong: bubblewrap is not installed",
            remedy="sudo apt-get install bubblewrap",
            probes=(Probe("mount", shut=True, detail="PermissionError"), Probe("write", shut=False, detail="written")),
        ),
        encoder(),
        traces(trace(tensor(1, 312, 64), batch=1)),
        HopFit(10.002, -0.4, ((10.0, 1000), (30.0, 3000))),
        SurvivalMap(
            (
                Cell(0.025, 1, CellState.FAILED, 0.001, "RuntimeError: too short"),
                Cell(10.0, 1, CellState.OK, 0.25),
                Cell(600.0, 1, CellState.FORECAST, 640.0, "would take 640 s, 60 s may be used"),
                Cell(0.025, 16, CellState.FORECAST, 0.0, "1 clip of 0.025 s: failed"),
                Cell(10.0, 16, CellState.OUT_OF_MEMORY, 2.5, "RuntimeError: out of memory"),
                Cell(600.0, 16, CellState.NOT_TRIED, 0.0, "stopped at 16 clips of 10 s: out of memory"),
            ),
            stopped="stopped at 16 clips of 10 s: out of memory",
            chunk_samples=160_000,
        ),
        Repeatability(EQUAL, 3.125),
        SecondStart(ANSWERED, difference=EQUAL),
        BatchCompany(NEAR, 3),
        AfterNan(NAN),
        ZeroPadding(NEAR, 0.12, 1.0, 3.0),
        Loudness(NEAR),
        Spread(16, 11.9, 0.98765),
        MemoryGrowth((10, 20, 30), (1 << 30, 1 << 30, 1 << 30)),
        Tolerances((Tolerance("float16 audio", raised()), Tolerance("float64 audio", ANSWERED))),
        DeviceFacts(True, ANSWERED, None, "cuda:0"),
        forecast(),
        RAM,
        TIME,
        usage(),
        conduct(watched=True, attempts=(Attempt(AttemptKind.LOOK_UP, "huggingface.co", 2, "load"),)),
        EncodingFacts(
            (
                TaskRun("quick-pitch", clips=100, seconds=6.0, audio_seconds=1500.0),
                TaskRun("quick-spoof", clips=100),
                TaskRun("quick-notes", skipped="no data"),
            )
        ),
        TrackScores(
            "builtin",
            (score("quick-pitch", 0.8), TaskScore("quick-spoof", Measure("EER", 0.2, 0.1, 0.3), 60, 60.0, 1.0)),
            (score("quick-pitch", 0.7),),
            0.8,
            float("nan"),
            1500.0,
        ),
        References(
            (
                Reference("log-mel", "quick-pitch", "accuracy", 0.6, 0.5),
                Reference("log-mel", "quick-spoof", "EER", 0.4, 0.5),
                Reference("crepe", "quick-pitch", "accuracy", 0.9, 0.8),
                Reference("silero", "quick-spoof", "EER", 0.1, None),
            ),
            {"quick-pitch": "measured elsewhere"},
        ),
    )
    return evidence


def full_report(findings: tuple[Finding, ...] | None = None) -> Report:
    """Everything measured: one error with a consequence, one warning."""
    if findings is None:
        long = "the embedding of a clip alone differs from its embedding within a batch by 12 % of its size"
        lines = (
            SourceLine(11, "        states = self.net(audio)"),
            SourceLine(
                12, "        return torch.cat([one.squeeze() for one in states.split(1)], dim=0).contiguous()  # all"
            ),
            SourceLine(13, ""),
        )
        findings = (
            finding(excerpt=lines),
            finding(check_id="AEC521", message=long, because_of="AEC505"),
            finding(Severity.WARNING, "AEC523", "declared 10 ms, measured 20 ms"),
        )
    return Report(
        path="team.zip",
        profile="icme-2025",
        judgement=Judgement(findings, ()),
        evidence=full_evidence(),
        stages=STAGES,
        timings={"archive": 0.0123456, "load": 2.5},
        environment={"python": "3.11.7"},
    )


def poor_report() -> Report:
    """Nothing but a file, and an open question."""
    evidence = Evidence()
    evidence.put(Submission("team.zip", SubmissionKind.ARCHIVE, "0" * 64, 10))
    skipped = (
        Skipped("AEC503", "zero-frames", "no box to run foreign code in", open=True),
        Skipped("AEC505", "batch-size-failure", "no box to run foreign code in", open=True),
        Skipped("AEC801", "encoding-failure", "not asked for", open=False),
    )
    return Report("team.zip", "icme-2025", Judgement((), skipped), evidence, STAGES)
