"""The program of the container: the same as `cfgate` and `python -m cfgate`."""

from cfgate.__main__ import main

raise SystemExit(main())
