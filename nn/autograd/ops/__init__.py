"""The ops, topic by topic: each function of the standard with its derivative rule beside it."""
