"""督办 and 预警: what is due, its stages, and the supervision orders that follow."""
