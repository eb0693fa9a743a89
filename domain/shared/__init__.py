"""What every room stands on: statements, trace, vault, numbers, ids, time."""
