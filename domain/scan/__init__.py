"""What the one code shows to whom; owns no table."""
