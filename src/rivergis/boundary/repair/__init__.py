"""A safe proposed repair for a fault; nothing is changed by itself."""
