"""Who is who: regions, departments, accounts, sessions."""
