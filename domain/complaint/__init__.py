"""投诉 and 举报: two things that are never merged, taken in, handled, answered."""
