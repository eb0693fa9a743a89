"""What the readers of the environment say when it cannot be used."""

from __future__ import annotations


class SettingsError(Exception):
    """The environment cannot be used as it is; the message says what to change."""
