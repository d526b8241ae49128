"""Waiting for jobs: `loop` for one of them, `watch` for all at once.

`patience` says how long to go on when the answers cannot be used, `history` keeps what has been seen and
tells it, `pacer` keeps the gates of a run from asking all at once. When to look next is not decided here but
in `cfgate.schedule`.
"""
