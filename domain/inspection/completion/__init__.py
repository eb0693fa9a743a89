"""完成检查 How an inspection ends: eight outcomes, what each wants, and the papers that follow."""
