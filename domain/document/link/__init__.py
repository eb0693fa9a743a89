"""短链接: a signed way to one paper without an account, and the record of its opening."""
