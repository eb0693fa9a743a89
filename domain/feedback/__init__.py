"""信息反馈: questions and suggestions on a checklist or a manual."""
