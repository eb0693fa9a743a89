"""Scene 场景：the 35 thematic scenes that enterprises and tasks are grouped by (TOP-01)."""
