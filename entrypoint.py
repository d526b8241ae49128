"""The program of the container: the same as `cfgate` and `python -m cfgate`."""

from cfgate.start import main

raise SystemExit(main())
