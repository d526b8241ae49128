"""Real servers, proxies and networks between cfgate and an API: `python -m fronts SOURCE [REGEX]`.

`situations` holds what is played, and what is right; a room there for each kind. Each situation is played on
a `lab`, a machine of its own made of namespaces; on it run an `api`, `servers` in front of it, and the gate.
`certificates` are made once for all. `__main__` plays many at a time and prints the table.
"""
