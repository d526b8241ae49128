"""What a CI host makes of a program's output, written from the hosts' own sources.

Nothing in here imports cfgate: a mistake in `cfgate.hosts` cannot hide behind the same mistake here.
"""
