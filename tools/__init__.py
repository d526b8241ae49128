"""What writes the parts of the repository that follow from the code."""
