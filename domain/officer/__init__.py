"""执法人员: officers and their certificates."""
