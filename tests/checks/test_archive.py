"""AEC1xx on literals, and every class of archive from its bytes to its finding."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.archive.listing import read_listing
from audio_encoder_checker.archive.unpack import unpack
from audio_encoder_checker.catalogue import all_checks
from audio_encoder_checker.checks import archive, archive_contents, archive_names
from audio_encoder_checker.evidence.archive import (
    DamagedMember,
    Defect,
    DefectKind,
    LfsPointer,
    Span,
    SpanKind,
    UnpackFacts,
)
from audio_encoder_checker.findings import Problem, Severity
from audio_encoder_checker.judging import Evidence, judge
from audio_encoder_checker.rules import Rules, load_rules
from tests.builders import SYMLINK_MODE, Member, descriptor, end_record, entry, listing, make_zip, raw_zip, unicode_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

MEGABYTE = 1 << 20


@pytest.fixture(scope="module")
def rules() -> Rules:
    return load_rules()


def said(problems: Iterator[Problem]) -> str:
    (problem,) = problems
    return problem.message


def found_in(tmp_path: Path, data: bytes) -> dict[str, Severity]:
    """Ids of all findings about an archive, unpacked only if nothing stood against it, as the pipeline does."""
    path = tmp_path / "submission.zip"
    path.write_bytes(data)
    evidence = Evidence()
    facts = read_listing(path)
    evidence.put(load_rules(), facts)
    checks = [one for one in all_checks() if one.stage == "archive"]
    findings = judge(evidence, checks).findings
    if all(finding.severity is not Severity.ERROR for finding in findings):
        evidence.put(unpack(path, facts, tmp_path / "out"))
        findings = judge(evidence, checks).findings
    return {finding.id: finding.severity for finding in findings}


STREAMED = Member(flags=0x0008, method=8)


@pytest.mark.parametrize(
    "data",
    [
        make_zip({"encoder.py": "x", "lib/model.py": "y"}),
        raw_zip(Member(**{**STREAMED.__dict__, "descriptor": descriptor(STREAMED)})),
        raw_zip(Member(), end=end_record(1, len(Member().central(0)), len(Member().local()), comment=b"mine")),
        raw_zip(Member(name="größe.py".encode(), flags=0x0800)),
    ],
)
def test_ordinary_archive_has_no_finding(tmp_path: Path, data: bytes) -> None:
    assert found_in(tmp_path, data) == {}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"Rar!\x1a\x07\0", "AEC101"),
        (make_zip({"encoder.py": "x"})[:50], "AEC102"),
        (raw_zip(Member(), count=2), "AEC103"),
        (raw_zip(Member(), disk=2), "AEC105"),
        (raw_zip(Member(extra=unicode_path(b"encoder.py", "evil.py"))), "AEC106"),
        (raw_zip(Member(local_name=b"evil.py")), "AEC107"),
        (raw_zip(Member(), Member(name=b"b.py", offset=0)), "AEC108"),
        (raw_zip(Member(), prefix=b"MZ"), "AEC109"),
        (raw_zip(Member()) + b"more", "AEC109"),
        (raw_zip(Member(flags=1)), "AEC110"),
        (raw_zip(Member(method=14)), "AEC111"),
        (raw_zip(Member(flags=0x20)), "AEC111"),
        (raw_zip(Member(), count=50_000), "AEC112"),
        (make_zip({"zeros.bin": bytes(4 * MEGABYTE)}), "AEC114"),
        (raw_zip(Member(crc32=7)), "AEC115"),
        (make_zip({"w.pt": "version https://git-lfs.github.com/spec/v1\nsize 12\n"}), "AEC116"),
        (raw_zip(Member(name=b"../encoder.py")), "AEC130"),
        (raw_zip(Member(name=b"repo\\encoder.py")), "AEC131"),
        (raw_zip(Member(mode=SYMLINK_MODE)), "AEC132"),
        (raw_zip(Member(), Member()), "AEC133"),
        (raw_zip(Member(), Member(name=b"Encoder.py")), "AEC134"),
        (raw_zip(Member(name=b"a\0b.py")), "AEC135"),
        (raw_zip(Member(name="a\u3164.py".encode(), flags=0x0800)), "AEC135"),
        (raw_zip(Member(name=b"aux.py")), "AEC136"),
        (raw_zip(Member(name=b"con .txt")), "AEC136"),
        (raw_zip(Member(name=b"nul:x")), "AEC136"),
        (raw_zip(Member(name=b"lib/...")), "AEC136"),
        (raw_zip(Member(name=b"n" * 201)), "AEC137"),
        (raw_zip(Member(name=b"\xff.py", flags=0x0800)), "AEC138"),
    ],
)
def test_archive_of_this_class_is_refused(tmp_path: Path, data: bytes, expected: str) -> None:
    assert found_in(tmp_path, data).get(expected) is Severity.ERROR


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (end_record(0, 0, 0), {}),  # a valid ZIP; that nothing is in it is for the source stage to say
        (raw_zip(Member(after=b"\0\0"), Member(name=b"b.py")), {"AEC109": Severity.WARNING}),
        (make_zip({"a.py": "x", "__pycache__/a.pyc": "y"}), {"AEC118": Severity.WARNING}),
        (make_zip({"a.py": "x", "__MACOSX/._a.py": "y"}), {"AEC118": Severity.NOTE}),
        (make_zip({"repo/a.py": "x"}), {"AEC119": Severity.NOTE}),
        (make_zip({"data.zip": "x", "a.py": "y"}), {"AEC120": Severity.NOTE}),
        (raw_zip(Member(name="副本.py".encode("gbk"))), {"AEC139": Severity.NOTE}),
        (raw_zip(Member(name="é.py".encode())), {"AEC139": Severity.NOTE}),
        (raw_zip(Member(mode=0o104755)), {"AEC140": Severity.WARNING}),
        (raw_zip(Member(name=b"PROGRA~1.py")), {"AEC136": Severity.WARNING}),
        (make_zip({"a.py": "x", "setup.exe": "y"}), {"AEC117": Severity.NOTE}),
    ],
)
def test_archive_of_this_class_is_accepted_with_a_remark(
    tmp_path: Path, data: bytes, expected: dict[str, Severity]
) -> None:
    assert found_in(tmp_path, data) == expected


@pytest.mark.parametrize(
    ("found", "hint"),
    [
        ("an HTML page, such as a sharing site shows instead of the file", "direct link"),
        ("a Git LFS pointer, not the file it stands for", "git lfs pull"),
        ("an empty file", "again"),
        ("a RAR archive", ""),
    ],
)
def test_aec101_says_what_the_file_is_and_what_to_do(found: str, hint: str) -> None:
    (problem,) = archive.not_a_zip(listing(found=found, is_zip=False))
    assert problem.message == f"expected a ZIP archive, this is {found}"
    assert hint in problem.hint


@pytest.mark.parametrize(
    ("judge_one", "name", "end"),
    [
        (archive_names.unsafe_paths, "C:/a.py", "'C:/a.py': its path starts with drive C:"),
        (archive_names.invisible_characters, "\1\2\1\3\4\5\6", ": holds U+0001, U+0002, U+0003, U+0004, U+0005"),
    ],
)
def test_no_more_is_named_than_helps(judge_one: Callable[..., Iterator[Problem]], name: str, end: str) -> None:
    assert said(judge_one(listing(name))).endswith(end)


def test_structural_damage_names_its_entry() -> None:
    defect = Defect(DefectKind.HEADERS, "the local header calls it 'evil.py'", 1)
    (problem,) = archive.disagreeing_headers(listing("a.py", "b.py", defects=(defect,)))
    assert problem == Problem("entry 1 'b.py': the local header calls it 'evil.py'", "b.py")


def test_aec138_names_the_entry_alone_whose_name_it_is() -> None:
    defect = Defect(DefectKind.NAME, "no valid UTF-8", 1)
    assert said(archive_names.undecodable_names(listing("a.py", "b.py", defects=(defect,)))) == (
        "entry 1 'b.py': no valid UTF-8"
    )


def test_aec109_does_not_repeat_what_a_damaged_entry_explains() -> None:
    span = Span(SpanKind.GAP, 50, 16, blank=False)
    defect = Defect(DefectKind.HEADERS, "its data descriptor does not repeat the sizes", 0)
    assert list(archive.unlisted_bytes(listing("a.py", spans=(span,))))
    assert not list(archive.unlisted_bytes(listing("a.py", spans=(span,), defects=(defect,))))


def test_aec109_does_not_repeat_what_a_damaged_directory_explains() -> None:
    before, after = Span(SpanKind.BEFORE_END, 50, 16, blank=False), Span(SpanKind.TRAILING, 99, 3, blank=False)
    damaged = listing("a.py", spans=(before, after), defects=(Defect(DefectKind.STRUCTURE, "it ends early"),))
    assert said(archive.unlisted_bytes(damaged)) == "3 bytes after the end of the archive, from byte 99"
    assert len(list(archive.unlisted_bytes(listing("a.py", spans=(before, after))))) == 2


def test_aec112_names_the_fullest_folders(rules: Rules) -> None:
    many = listing(*(f"repo/venv/{n}" for n in range(10_001)))
    assert "repo/venv/ has 10001" in said(archive_contents.too_many_entries(many, rules))
    flat = listing(*(f"{n}.wav" for n in range(10_001)))
    assert said(archive_contents.too_many_entries(flat, rules)) == "10001 entries, at most 10000 are allowed"
    allowed = listing(*(f"{n}.wav" for n in range(10_000)))
    assert not list(archive_contents.too_many_entries(allowed, rules))


def test_aec113_names_the_largest_file(rules: Rules) -> None:
    huge = listing(entry("w.pt", unpacked_bytes=9 * 10**9, packed_bytes=8 * 10**9), "a.py")
    assert said(archive_contents.too_large_unpacked(huge, rules)) == (
        "the archive unpacks to 9 GB, at most 8.59 GB are allowed; the largest file is 'w.pt' with 9 GB"
    )
    allowed = listing(entry("w.pt", unpacked_bytes=8 << 30, packed_bytes=7 << 30))
    assert not list(archive_contents.too_large_unpacked(allowed, rules))


@pytest.mark.parametrize(
    ("unpacked", "packed", "count"),
    [
        (MEGABYTE, 1, 0),
        (2 * MEGABYTE, 1000, 1),
        (2 * MEGABYTE, MEGABYTE, 0),
        (2 * MEGABYTE, 0, 1),
        (200 * 6000, 6000, 0),
        (200 * 6000 + 1, 6000, 1),
    ],
)
def test_aec114_judges_the_ratio_of_large_files_only(rules: Rules, unpacked: int, packed: int, count: int) -> None:
    one = listing(entry("a.bin", unpacked_bytes=unpacked, packed_bytes=packed))
    assert len(list(archive_contents.compression_bomb(one, rules))) == count


def test_aec114_judges_all_files_together(rules: Rules) -> None:
    parts = [entry(f"{n}.bin", unpacked_bytes=MEGABYTE, packed_bytes=10_000) for n in range(80)]
    assert said(archive_contents.compression_bomb(listing(*parts, size_bytes=800_000), rules)) == (
        "the archive: 800 kB unpack to 83.9 MB, 105 times; at most 50 times are allowed"
    )


def test_aec115_and_aec116_name_the_file() -> None:
    facts = UnpackFacts(
        0, 0, (DamagedMember("w.pt", "its compressed data breaks off"),), (), (LfsPointer("v.pt", 90_000_000),)
    )
    assert said(archive_contents.damaged_members(facts)) == "'w.pt': its compressed data breaks off"
    assert said(archive_contents.lfs_pointers(facts)) == "'v.pt' is a pointer to a file of 90 MB"


@pytest.mark.parametrize(("size", "count"), [(25_000_000, 0), (25_000_001, 1)])
def test_aec117_counts_as_mail_does(size: int, count: int) -> None:
    assert len(list(archive_contents.hard_to_mail(listing("a.py", size_bytes=size)))) == count


def test_aec118_sums_litter_by_kind() -> None:
    names = ("__pycache__/a.pyc", "lib/__pycache__/b.pyc", ".git/HEAD", "lib/._a.py", "gitlog/a.py")
    assert [problem.message for problem in archive_contents.archive_litter(listing(*names))] == [
        "._* is in the archive: 1 file, 10 bytes",
        ".git is in the archive: 1 file, 10 bytes",
        "__pycache__ is in the archive: 2 files, 20 bytes",
    ]


DEEP = "/".join(["abcdefghijk"] * 20)
"""As deep as a path may be, and a byte less than as long as it may be."""
PATHS: list[tuple[Callable[..., Iterator[Problem]], str, str]] = [
    (archive_names.unsafe_paths, "../a.py", "'..' would leave the folder"),
    (archive_names.unsafe_paths, "lib\\..\\..\\a.py", "'..' would leave the folder"),
    (archive_names.unsafe_paths, "/etc/a.py", "absolute"),
    (archive_names.unsafe_paths, "\\\\host\\a.py", "absolute"),
    (archive_names.unsafe_paths, "C:/a.py", "its path starts with drive C:"),
    (archive_names.unsafe_paths, "a//b.py", "empty or '.'"),
    (archive_names.unsafe_paths, "a/./b.py", "empty or '.'"),
    (archive_names.unsafe_paths, "", "empty or '.'"),
    (archive_names.backslash_names, "lib\\a.py", "expected '/'"),
    (archive_names.invisible_characters, "a\u202efdp.py", "U+202E"),
    (archive_names.invisible_characters, "a\u200b.py", "U+200B"),
    (archive_names.invisible_characters, "a\x1b[2J.py", "U+001B"),
    (archive_names.unportable_names, "lib/AUX.tar.gz", "device name"),
    (archive_names.unportable_names, "com¹.py", "device name"),
    (archive_names.unportable_names, "a.py.", "ends in a dot or space"),
    (archive_names.unportable_names, "a /b.py", "ends in a dot or space"),
    (archive_names.unportable_names, "aux.\x1b[2J", "device name"),
    (archive_names.unportable_names, "\x1b[2J.", "ends in a dot or space"),
    (archive_names.unportable_names, "PROGRA~1/a.py", "a short name that Windows makes"),
    (archive_names.unportable_names, "a?*?.py", "does not allow ?* in names"),
    (archive_names.overlong_paths, "é" * 101, "202 bytes"),
    (archive_names.overlong_paths, "a/" + "\ud800" * 67, "a name of 201 bytes, at most 200 are safe"),
    (archive_names.overlong_paths, DEEP + "xy", "a path of 241 bytes, at most 240 are safe"),
    (archive_names.overlong_paths, "/".join("a" * 21), "21 folders deep"),
]


@pytest.mark.parametrize(("judge_one", "name", "words"), PATHS)
def test_bad_name_is_named(judge_one: Callable[..., Iterator[Problem]], name: str, words: str) -> None:
    (problem,) = judge_one(listing(name))
    assert words in problem.message
    assert problem.at.isprintable()
    assert problem.message.isprintable()


@pytest.mark.parametrize(
    "name",
    [
        "lib/a..b/c.py",
        "auxiliary.py",
        "a b.py",
        "com10.py",
        ".github/x.yml",
        "表/é.py",
        "lib/",
        "a\u3000b.py",
        "n" * 200,
        DEEP + "x",
        "a/" * 20,
    ],
)
def test_ordinary_name_passes_every_check(name: str) -> None:
    for judge_one in {judge_one for judge_one, _, _ in PATHS}:
        assert not list(judge_one(listing(name)))


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("Model.py", "model.py"), "the same as 'Model.py'"),
        (("caf\u00e9.py", "cafe\u0301.py"), "the same as"),
        (("Lib/a.py", "lib/b.py"), "the same as 'Lib'"),
        (("lib", "lib/a.py"), "'lib' is a file and a folder"),
        (("a/Lib/b.py", "a/lib/b.py"), "the same as 'a/Lib'"),
        (("a/lib", "a/lib/b.py"), "'a/lib' is a file and a folder"),
    ],
)
def test_aec134_finds_names_that_become_one(names: tuple[str, ...], words: str) -> None:
    assert words in said(archive_names.colliding_names(listing(*names)))


def test_aec134_accepts_a_folder_and_its_files() -> None:
    assert not list(archive_names.colliding_names(listing("lib/", "lib/A.py", "lib/b.py", "a.py")))
    assert not list(archive_names.colliding_names(listing("x/", "lib/", "x/A.py", "lib/B.py", "a.py", "b.py")))


@pytest.mark.parametrize("judge_one", [archive_names.colliding_names, archive_names.unportable_names])
def test_what_another_check_tells_is_told_once(judge_one: Callable[..., Iterator[Problem]]) -> None:
    assert not list(judge_one(listing("a?" * 101 + ".", "A?" * 101 + ".", "./a.py", "../a.py")))


@pytest.mark.parametrize(("mode", "words"), [(0o755, ""), (0o4755, "4755"), (0o2755, "2755"), (0o1644, "1644")])
def test_aec140_tells_the_mode(mode: int, words: str) -> None:
    messages = [one.message for one in archive_names.setuid_modes(listing(entry("a.sh", mode=0o100000 | mode)))]
    assert messages == [f"entry 0 'a.sh': mode {words}, expected no more than 0755"] * bool(words)


def test_no_check_says_more_than_twenty_things() -> None:
    problems = list(archive_names.unsafe_paths(listing(*(f"../{n}.py" for n in range(50)))))
    assert len(problems) == 20
    assert problems[-1].message.endswith("and 30 more like this")
    assert len(list(archive_names.unsafe_paths(listing(*(f"../{n}.py" for n in range(20)))))) == 20


@pytest.mark.parametrize(
    "name",
    ["\x07" + "a" * 60_000, "ﷺ/" * 9_000, ("ﷺ" * 19 + "/") * 4 + "{} ", "a/" * 20_000],
    ids=("one long part", "short parts", "letters that stand for many", "many parts"),
)
def test_hostile_names_cost_no_more_than_their_length(name: str) -> None:
    hostile = listing(*(name.format(number) for number in range(400)))
    start = time.process_time()
    evidence = Evidence()
    evidence.put(hostile)
    ours = [one for one in all_checks() if one.judge.__module__ == archive_names.__name__]
    assert judge(evidence, ours).findings
    assert time.process_time() - start < 3
