"""What tests may ask for on the command line, and how many run at once."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

settings.register_profile("busy machines", deadline=None)
settings.load_profile("busy machines")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="rewrite expected outputs")


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: some tests wait for a clock or a network."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--update-golden"))
