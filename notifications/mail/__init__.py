"""邮件: the port, its driver, and what comes back."""
