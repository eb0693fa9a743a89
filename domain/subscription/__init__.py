"""订阅: what a citizen wants to hear of, and how often."""
