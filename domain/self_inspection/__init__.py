"""企业自查 and 交办任务: what an enterprise looks after itself, and the hazards it finds."""
