"""发送: from the outbox to the phone, and what comes back."""
