"""The tools that make and check a release."""
