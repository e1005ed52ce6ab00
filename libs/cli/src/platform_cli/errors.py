"""Failures that the command line shows to a person, each in one line that says what to do."""


class StackError(Exception):
    """Something a person has to change; its text is the one line they will read."""


class ToolUnavailableError(StackError):
    """A tool of the local stack was neither found nor obtained."""
