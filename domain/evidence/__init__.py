"""证据材料 Photos, films and scans, known by their SHA-256; originals sealed, copies free of metadata."""
