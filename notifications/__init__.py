"""Messages to people: written with the act that caused them, delivered by the worker."""
