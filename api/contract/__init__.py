"""mobile_contract/: what a phone may rely on, generated from the code and compared with it."""
