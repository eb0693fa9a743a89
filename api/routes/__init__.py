"""One file per capability, the same names as in the domain."""
