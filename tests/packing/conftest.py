"""A Hub that tests of mending may ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.packing.hub import COMMIT, OTHER, LoopbackHub, serving_hub

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackHub]:
    """The Hub of this test, and a token that it must not be told."""
    with serving_hub() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.setenv("HF_TOKEN", "hf_secret")
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_TELEMETRY", True)  # it asks for more, elsewhere
        hub.answers = {"models/a/b": COMMIT, "models/c/d": OTHER, "datasets/a/b": OTHER}
        yield hub
