"""The pictures of the one code for the doors of a region, and its life from the command line."""
