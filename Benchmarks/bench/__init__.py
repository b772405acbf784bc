"""Measures orderflow beside what people would write instead, and beside what the machine can do at most."""
