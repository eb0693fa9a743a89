"""隐患: what an enterprise found wrong in its own house, and how it puts it right."""
