"""开放数据: published results for everybody, page by page and as a dump every night."""
