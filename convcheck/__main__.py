"""`python -m convcheck`."""

import sys

from convcheck.cli.main import main

sys.exit(main())
