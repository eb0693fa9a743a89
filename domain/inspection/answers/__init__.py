"""检查结果 What was found at each drawn item."""
