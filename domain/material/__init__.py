"""材料 and 电子证照 of an enterprise, with what runs out when."""
