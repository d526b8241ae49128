"""Asking the API: `client` sends one GET and has the answer judged.

`transport` bounds the time of a request, whatever hangs; `channel` is one connection that can be cut;
`network` finds the proxy and the authorities that the user has set up; `faults` says in words what went wrong
on the wire.
"""
