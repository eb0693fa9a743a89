"""The demonstration: made by code from a fixed seed, loaded once."""
