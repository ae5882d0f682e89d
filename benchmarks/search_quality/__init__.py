"""How well trials are chosen and stopped, beside what users would take instead."""
