"""The tests. `fakes`, `factories`, `wire`, `simulation` are their doubles; `parsers` read what hosts read."""
