"""Pure codes of the field: USCC, divisions, the one code's token, QR pictures."""
