"""当日任务包 What a phone takes along to work without a network."""
