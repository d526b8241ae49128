"""Measurements of cfgate, each a program of its own."""
