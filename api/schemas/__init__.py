"""What goes over the wire where it differs from the domain's own values."""
