"""Benchmarks: what cfgate costs, measured."""
