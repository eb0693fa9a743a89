"""随机抽取 The reproducible draw, and the list it gives, sealed until the site's own code opens it."""
