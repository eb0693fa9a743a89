"""入企评价: what an enterprise thinks of a visit, told so that nobody can find out whose it was."""
