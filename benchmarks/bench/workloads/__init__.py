"""The workloads, one file a topic; each file has them in WORKLOADS."""
