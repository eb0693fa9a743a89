"""诉求: what an enterprise asks of its regulators."""
