"""海报批次: posters of a whole region, drawn part by part by the worker."""
