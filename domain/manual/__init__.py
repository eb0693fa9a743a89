"""经营手册: the one manual a business type goes by (一业一册)."""
