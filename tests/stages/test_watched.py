"""Growth is seen from outside, while something goes on."""

from __future__ import annotations

import time

from audio_encoder_checker.stages.watched import SAMPLED_S, Watched


def test_the_most_is_kept_although_it_went_down_again() -> None:
    now = [100]
    with Watched(lambda: now[0]) as watched:
        now[0] = 170
        time.sleep(5 * SAMPLED_S)
        now[0] = 120
        time.sleep(2 * SAMPLED_S)
    assert watched.growth == 70


def test_what_shrinks_did_not_grow() -> None:
    now = [100]
    with Watched(lambda: now[0]) as watched:
        now[0] = 10
        time.sleep(3 * SAMPLED_S)
    assert watched.growth == 0
