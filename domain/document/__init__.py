"""执法文书 Papers: their templates, their content as blocks, their PDF, and how anybody verifies one."""
