"""Run cfgate as `python -m cfgate`."""

from cfgate.start import main

if __name__ == "__main__":
    raise SystemExit(main())
