"""What anybody may look for: manuals, checklists, published results, exposures."""
