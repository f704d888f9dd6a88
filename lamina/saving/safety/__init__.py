"""Files that nobody has vetted: what is read of them, how much, and never more than that."""
