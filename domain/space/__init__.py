"""企业空间: everything an enterprise has to see and to do, in one place."""
