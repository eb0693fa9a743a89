"""曝光台: what a department exposes to the public."""
