"""Evidence and checks in, findings out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker import catalogue
from audio_encoder_checker.catalogue import Check
from audio_encoder_checker.findings import Problem, Severity
from audio_encoder_checker.judging import NOT_ASKED, Evidence, judge, stamp

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Apples:
    rotten: int


@dataclass(frozen=True)
class Pears:
    rotten: int


def rotten_apples(apples: Apples) -> Iterator[Problem]:
    for number in range(apples.rotten):
        yield Problem(f"apple {number}", hint="" if number else "eat the pear")


def rotten_fruit(apples: Apples, pears: Pears) -> Iterator[Problem]:
    if apples.rotten + pears.rotten:
        yield Problem("fruit")


def a_check(check_id: str, severity: Severity, *needs: type) -> Check:
    function = rotten_apples if len(needs) == 1 else rotten_fruit
    return Check(
        check_id, function.__name__.replace("_", "-"), severity, "title", "why", "throw it away", needs, function
    )


APPLES = a_check("AEC501", Severity.WARNING, Apples)
FRUIT = a_check("AEC502", Severity.ERROR, Apples, Pears)


def evidence(*facts: object) -> Evidence:
    bag = Evidence()
    bag.put(*facts)
    return bag


def test_findings_carry_the_checks_identity_and_the_gravest_comes_first() -> None:
    findings = judge(evidence(Apples(2), Pears(0)), iter((APPLES, FRUIT))).findings
    assert [(f.id, f.severity.value, f.message, f.hint) for f in findings] == [
        ("AEC502", "error", "fruit", "throw it away"),
        ("AEC501", "warning", "apple 0", "eat the pear"),
        ("AEC501", "warning", "apple 1", "throw it away"),
    ]


def test_what_a_finding_quotes_steers_no_terminal() -> None:
    found = stamp(APPLES, Problem("an \x1b[2J apple", "\x1b[31m.py:1", "eat \u202e it"))
    assert (found.message, found.at, found.hint) == (r"an \x1b[2J apple", r"\x1b[31m.py:1", r"eat \u202e it")


def test_what_checks_say_at_length_is_kept() -> None:
    long = "apple " * 800
    found = stamp(APPLES, Problem(long, long, long))
    assert (found.message, found.at, found.hint) == (long, long, long)
    (skip,) = judge(evidence(Apples(2)), [APPLES], {"AEC501": long}).skipped
    assert skip.reason == f"ignored: {long.strip()}"


def test_missing_evidence_is_a_skip_with_its_reason_and_never_a_pass() -> None:
    bag = evidence(Apples(0))
    bag.miss("the pears were not delivered", Pears)
    (skipped,) = judge(bag, [APPLES, FRUIT]).skipped
    assert (skipped.id, skipped.reason, skipped.open) == ("AEC502", "the pears were not delivered", True)


def test_evidence_that_nobody_spoke_of_is_still_a_skip() -> None:
    assert judge(evidence(), [APPLES]).skipped[0].open


def test_a_stage_left_out_on_purpose_leaves_nothing_open() -> None:
    bag = evidence()
    bag.miss(NOT_ASKED, Apples)
    assert not judge(bag, [APPLES]).skipped[0].open


def test_an_ignored_error_stays_open_and_an_ignored_warning_does_not() -> None:
    judgement = judge(evidence(Apples(1), Pears(1)), [APPLES, FRUIT], {"AEC501": "ripe", "AEC502": "compote"})
    assert judgement.findings == ()
    assert [(s.reason, s.open) for s in judgement.skipped] == [("ignored: ripe", False), ("ignored: compote", True)]


def test_the_reason_for_ignoring_a_check_steers_no_terminal() -> None:
    (skip,) = judge(evidence(Apples(2)), [APPLES], {"AEC501": "they\n are \x1b[2J\u202e fine"}).skipped
    assert skip.reason == r"ignored: they are \x1b[2J\u202e fine"


def test_facts_that_came_are_not_declared_missing_later() -> None:
    bag = evidence(Apples(0))
    bag.miss("gone", Apples, Pears)
    assert bag.why_missing((Apples,)) == ""
    assert (bag.get(Apples), bag.get(Pears)) == (Apples(0), None)
    assert bag.why_missing((Apples, Pears)) == "gone"
    bag.put(Pears(0))
    assert bag.why_missing((Apples, Pears)) == ""


def test_the_first_reason_stands() -> None:
    bag = evidence()
    bag.miss("no network", Apples)
    bag.miss(NOT_ASKED, Apples)
    assert judge(bag, [APPLES]).skipped[0].open


def test_checks_that_could_be_judged_are_told_found_they_something_or_not() -> None:
    bag = evidence(Apples(0))
    assert judge(bag, [APPLES, FRUIT]).judged == ("AEC501",)
    assert judge(bag, [APPLES, FRUIT], {"AEC501": "ripe"}).judged == ()


def test_a_crash_inside_a_check_is_ours_and_not_swallowed() -> None:
    def broken(apples: Apples) -> Iterator[Problem]:
        raise ZeroDivisionError(apples)

    one = Check("AEC503", "broken", Severity.ERROR, "t", "w", "f", (Apples,), broken)
    with pytest.raises(ZeroDivisionError):
        judge(evidence(Apples(0)), [one])


class TestFolding:
    """What follows from another finding is told as such."""

    @staticmethod
    def judged(*severities: tuple[str, Severity | None, tuple[str, ...]]) -> list[tuple[str, str]]:
        """Ids and causes of findings of these severities, whose checks follow others."""
        checks = []
        for check_id, severity, follows in severities:
            found = [Problem(check_id, severity=severity)] if severity else []
            checks.append(
                Check(check_id, "n", Severity.ERROR, "t", "w", "f", (Apples,), lambda _, f=found: iter(f), follows)
            )
        return [(one.id, one.because_of) for one in judge(evidence(Apples(0)), checks).findings]

    def test_a_consequence_stands_behind_its_cause(self) -> None:
        found = self.judged(
            ("AEC501", Severity.WARNING, ("AEC503",)),
            ("AEC502", Severity.ERROR, ()),
            ("AEC503", Severity.ERROR, ()),
            ("AEC504", Severity.ERROR, ()),
        )
        assert found == [("AEC502", ""), ("AEC503", ""), ("AEC501", "AEC503"), ("AEC504", "")]

    def test_a_lesser_finding_explains_nothing(self) -> None:
        found = self.judged(("AEC501", Severity.ERROR, ("AEC502",)), ("AEC502", Severity.WARNING, ()))
        assert found == [("AEC501", ""), ("AEC502", "")]

    def test_a_problem_may_have_a_cause_of_its_own(self) -> None:
        def check(check_id: str, follows: tuple[str, ...], problem: Problem) -> Check:
            judge_it = lambda _: iter([problem])  # noqa: E731 (a judge needs no name here)
            return Check(check_id, "n", Severity.ERROR, "t", "w", "f", (Apples,), judge_it, follows)

        cause = check("AEC502", (), Problem("cause"))
        for own, because in ((True, ""), (False, "AEC502")):
            other = check("AEC501", ("AEC502",), Problem("other", own_cause=own))
            found = judge(evidence(Apples(0)), [other, cause]).findings
            assert {one.id: one.because_of for one in found} == {"AEC501": because, "AEC502": ""}

    def test_the_gravest_finding_of_a_check_explains_and_stands_for_it(self) -> None:
        lesser, graver = (Problem("two", severity=one) for one in (Severity.WARNING, Severity.ERROR))
        for problems in ([lesser, graver], [graver, lesser]):
            effect = Check("AEC501", "n", Severity.ERROR, "t", "w", "f", (Apples,), rotten_apples, ("AEC502",))
            cause = Check("AEC502", "n", Severity.ERROR, "t", "w", "f", (Apples,), lambda _, f=problems: iter(f))
            found = [(one.id, one.because_of) for one in judge(evidence(Apples(1)), [effect, cause]).findings]
            assert found == [("AEC502", ""), ("AEC501", "AEC502"), ("AEC502", "")]

    def test_only_a_cause_that_found_something_counts(self) -> None:
        found = self.judged(
            ("AEC501", None, ()), ("AEC502", Severity.ERROR, ()), ("AEC503", Severity.ERROR, ("AEC501", "AEC502"))
        )
        assert found == [("AEC502", ""), ("AEC503", "AEC502")]
        assert self.judged(("AEC503", Severity.ERROR, ("AEC501", "AEC502"))) == [("AEC503", "")]

    def test_a_chain_stands_behind_its_root(self) -> None:
        found = self.judged(
            ("AEC501", Severity.ERROR, ("AEC504",)),
            ("AEC502", Severity.ERROR, ()),
            ("AEC503", Severity.ERROR, ()),
            ("AEC504", Severity.ERROR, ("AEC502",)),
        )
        assert found == [("AEC502", ""), ("AEC504", "AEC502"), ("AEC501", "AEC504"), ("AEC503", "")]


class TestCatalogue:
    """What every check owes its user."""

    @pytest.mark.parametrize("one", catalogue.all_checks(), ids=lambda c: c.id)
    def test_help_is_complete(self, one: Check) -> None:
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", one.name), "the name is the defect in words"
        assert len(one.title) <= 90
        assert one.title.endswith(".")
        assert len(one.why) >= 40, "the body says why it matters in this challenge"
        assert one.fix.endswith((".", "`"))
        assert one.needs, "a check judges evidence"
        assert one.stage

    def test_what_checks_follow_exists_and_goes_in_no_circle(self) -> None:
        graph = {one.id: one.follows for one in catalogue.all_checks()}
        assert {cause for causes in graph.values() for cause in causes} <= set(graph)
        TopologicalSorter(graph).prepare()  # raises at a circle

    def test_names_are_unique(self) -> None:
        names = [one.name for one in catalogue.all_checks()]
        assert len(names) == len(set(names))

    def test_checks_are_chosen_by_id_prefix_and_name(self) -> None:
        chosen, unknown = catalogue.matching(("AEC503", "AEC52", "no-tensor", "zero-frame", "AEC"))
        ids = [one.id for one in chosen]
        assert "AEC503" in ids
        assert len(ids) == len(set(ids))
        assert unknown == ("zero-frame",)

    @pytest.mark.parametrize(
        ("check_id", "doc"),
        [("AEC1", "T.\n\nW\n\nFix: f"), ("AEC503", "T.\n\nW\n\nFix: f"), ("AEC999", "T."), ("AEC998", "T.\n\nW")],
    )
    def test_a_malformed_check_is_refused(self, check_id: str, doc: str) -> None:
        def judge_nothing(apples: Apples) -> Iterator[Problem]:
            yield Problem(str(apples))

        judge_nothing.__doc__ = doc
        with pytest.raises(ValueError, match=r"malformed|docstring"):
            catalogue.check(check_id)(judge_nothing)
