"""The exit codes that are not a verdict's; those are `core.verdict.exit_code`."""

EXIT_USAGE = 2
EXIT_INTERNAL = 4
EXIT_INTERRUPTED = 130
