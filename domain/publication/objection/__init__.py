"""结果异议 against a publication, decided by somebody who was not there."""
