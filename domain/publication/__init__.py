"""公示 What of a finished inspection the public sees, from when and until when."""
