"""检查单 Checklists: what is looked at where, in versions that never change once published."""
