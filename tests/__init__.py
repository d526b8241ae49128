"""The tests; `fakes`, `factories`, `wire` and `simulation` are their doubles, `parsers` read what hosts would."""
