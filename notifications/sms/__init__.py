"""短信: the port, its drivers, and how a text is counted in segments."""
