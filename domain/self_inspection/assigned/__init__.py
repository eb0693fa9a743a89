"""交办任务, 自巡查: what a department asks of many enterprises at once, and what they answer."""
