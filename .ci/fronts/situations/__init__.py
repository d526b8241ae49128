"""What is played, and what is right: a module for each kind."""
