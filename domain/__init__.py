"""The work itself: one folder per capability, the same file names in each."""
