"""The operating system: clocks, signals, pipes and files, and which host is this machine."""
