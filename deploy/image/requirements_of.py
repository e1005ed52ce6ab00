"""Prints the part of a lock that some packages need: `requirements_of.py requirements.lock user-service …`.

The lock holds what checks and tests need as well, which has no business in an image. Every entry says in its `# via`
lines who needs it, so the part can be told from the lock alone. Uses nothing but the standard library: it runs in the
image's first stage, where nothing is installed yet.
"""

import re
import sys
from collections.abc import Collection
from pathlib import Path


def requirements_of(lock: str, packages: Collection[str]) -> str:
    """Return the entries of the lock that these packages are or need, with their hashes, in the lock's order."""
    entries = {entry.partition("==")[0]: entry for entry in re.split(r"^(?=[a-z0-9])", lock, flags=re.MULTILINE)[1:]}
    needed_by = {
        name: set(re.findall(r"^    # (?:via|  ) *(\S+)$", text, re.MULTILINE)) for name, text in entries.items()
    }
    reached = set(packages)
    while True:
        found = {name for name, needers in needed_by.items() if name not in reached and needers & reached}
        if not found:
            break
        reached |= found
    return "".join(entry for name, entry in entries.items() if name in reached)


if __name__ == "__main__":
    sys.stdout.write(requirements_of(Path(sys.argv[1]).read_text(encoding="utf-8"), sys.argv[2:]))
