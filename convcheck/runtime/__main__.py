"""`python -m convcheck.runtime FD PARENT`: the child side of a worker; started by `worker`."""

import sys

from convcheck.runtime.serve import main

main(channel=int(sys.argv[1]), parent=int(sys.argv[2]))
