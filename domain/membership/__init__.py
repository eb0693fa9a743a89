"""企业认领: who acts for an enterprise, and in which capacity."""
