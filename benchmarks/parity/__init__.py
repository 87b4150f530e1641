"""`isograd parity`: one model on two devices, step by step and op by op."""
