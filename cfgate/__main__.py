"""Run cfgate as `python -m cfgate`."""

from cfgate.cli import console

if __name__ == "__main__":
    console()
