"""Citizens without an account: their passes, verified phones, and how often they may write."""
