"""监管对象: enterprises, their sites, licences, and the one code at each door."""
