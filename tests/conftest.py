"""What every test may use; the fixtures live in tests/support, one module for each thing that they stand up."""

pytest_plugins = [
    "tests.support.golden_files",
    "tests.support.histories",
    "tests.support.kinds",
    "tests.support.local_stack_tools",
    "tests.support.platform",
    "tests.support.postgres",
    "tests.support.temporal_server",
]
