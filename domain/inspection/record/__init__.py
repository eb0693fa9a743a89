"""现场检查笔录 The record of each department that took part, and who signed it."""
