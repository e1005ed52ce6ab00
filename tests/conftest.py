"""What every test may use; the fixtures live in tests/support, one module for each thing that they stand up."""

pytest_plugins = [
    "tests.support.built_tools",
    "tests.support.golden_files",
    "tests.support.histories",
    "tests.support.kinds",
    "tests.support.platform",
    "tests.support.postgres",
    "tests.support.temporal_server",
]
