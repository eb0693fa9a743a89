"""Randomness as an argument."""

from __future__ import annotations

import secrets
from collections.abc import Callable

Random = Callable[[int], bytes]
"""Gives that many unpredictable bytes."""

system_random: Random = secrets.token_bytes
"""The operating system's own source."""
