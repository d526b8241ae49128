"""Text from and for outside: secrets taken out, invisible characters, wording for people. Pure."""
