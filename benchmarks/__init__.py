"""Yima measured against the least that could do the same work, and against the same work written the usual way."""
