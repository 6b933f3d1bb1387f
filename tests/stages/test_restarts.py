"""How a start is judged by how it ended; real starts are in `test_downloads.py`."""

from __future__ import annotations

import pytest

from audio_encoder_checker.evidence.network import LookUp, Moment, NetworkFacts, Transfer, Way, Went
from audio_encoder_checker.evidence.run import Ending, Outcome
from audio_encoder_checker.rules import load_rules
from audio_encoder_checker.stages.network import downloaded_data, unreached
from audio_encoder_checker.stages.restarts import judged
from tests.literals import ANSWERED, ended, raised

AT = Moment("load")


@pytest.mark.parametrize(
    ("outcome", "met", "same", "went"),
    [
        (ANSWERED, True, True, Went.WELL),
        (ANSWERED, False, True, Went.NOT_MET),
        (ANSWERED, True, False, Went.OTHERWISE),
        (ended(Ending.TIMED_OUT), True, False, Went.HUNG),
        (ended(Ending.STAGE_TIMED_OUT), True, False, Went.HUNG),
        (ended(Ending.EXITED, "exit status 1"), True, False, Went.UNCLEARLY),
        (raised("URLError", "no"), True, False, Went.CLEARLY),
        (raised("RuntimeError", "weights.pt: wrong hash"), True, False, Went.CLEARLY),
        (raised("OSError", "[Errno 28] No space left on device"), True, False, Went.CLEARLY),
        (raised("KeyError", "'state_dict'"), True, False, Went.UNCLEARLY),
        (raised("RuntimeError", "size mismatch for project.weight"), True, False, Went.UNCLEARLY),
        (raised("UnpicklingError", "see https://pytorch.org/docs"), True, False, Went.UNCLEARLY),
    ],
)
def test_what_became_of_a_start(outcome: Outcome, *, met: bool, same: bool, went: Went) -> None:
    assert judged(outcome, met=met, same=same) is went


def test_a_failure_is_excused_by_what_was_refused_or_not_there() -> None:
    refused = Transfer(AT, Way.PROXY, "evil.example", 443, "CONNECT", refused="none of the declared hosts")
    assert 'hosts = ["evil.example"]' in unreached(NetworkFacts((refused,)))
    trouble = Transfer(AT, Way.HUB, "huggingface.co", 443, "GET", trouble="no address")
    assert unreached(NetworkFacts((trouble,))).startswith("this machine got nothing from huggingface.co")
    assert "looks for evil.example" in unreached(NetworkFacts((), (LookUp(AT, "evil.example", known=False),)))
    fine = Transfer(AT, Way.HUB, "huggingface.co", 443, "GET", status=404)
    broken = Transfer(AT, Way.HUB, "huggingface.co", 443, "GET", trouble="cut", fault="connection cut")
    assert unreached(NetworkFacts((fine, broken), (LookUp(AT, "zenodo.org", known=True),))) == ""


def test_evaluation_data_is_known_by_the_path_it_is_fetched_from() -> None:
    got = Transfer(AT, Way.PROXY, "zenodo.org", 80, "GET", "/records/1/ESC-50-master.zip", received_bytes=10)
    ((where, use),) = downloaded_data(NetworkFacts((got,))).uses
    assert (where, use.evaluated) == ("zenodo.org: /records/1/ESC-50-master.zip", "ESC-50")
    assert downloaded_data(NetworkFacts((Transfer(AT, Way.PROXY, "zenodo.org", 443, "CONNECT"),))).uses == ()


def test_the_rule_book_names_conditions_that_there_are() -> None:
    from audio_encoder_checker.evidence.network import Condition

    assert {Condition[name] for name in load_rules().network.restarts} == set(Condition)
