"""检查任务: approved inspections, visits, check-ins, 亮证告知."""
