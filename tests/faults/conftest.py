"""Fixtures for the fault bench."""

import logging
import os
import random

import pytest


@pytest.fixture
def seed() -> int:
    """All dice of a run; FAULTS_SEED sets it. A test that fails shows it."""
    number = int(os.environ.get("FAULTS_SEED") or random.randrange(1 << 32))
    logging.getLogger("faults").warning("FAULTS_SEED=%d", number)
    return number
