"""Whether a message of today understands what was sent before, and is understood by who was deployed before."""

from collections.abc import Iterator
from typing import Any, cast

Schema = dict[str, Any]

# What they say is for people; no reader decides by it.
_FOR_PEOPLE = ("title", "description", "default")


def breaking_changes(before: Schema, now: Schema) -> list[str]:
    """Return what has changed other than by an added optional field, one sentence each."""
    problems = list(_changes("", before, now))
    for name, schema in before.get("$defs", {}).items():
        if name in now.get("$defs", {}):
            problems.extend(_changes(f"{name}.", schema, now["$defs"][name]))
    return problems


def _changes(prefix: str, before: Schema, now: Schema) -> Iterator[str]:
    if "properties" not in before or "properties" not in now:
        if _bare(before) != _bare(now):
            yield f"`{prefix.rstrip('.')}` was {_bare(before)} and is {_bare(now)}"
        return
    fields_before, fields_now = before["properties"], now["properties"]
    required_before, required_now = set(before.get("required", ())), set(now.get("required", ()))
    for field in fields_before:
        name = f"{prefix}{field}"
        if field not in fields_now:
            yield f"the field `{name}` was removed or renamed"
        elif _bare(fields_before[field]) != _bare(fields_now[field]):
            yield f"the field `{name}` was {_bare(fields_before[field])} and is {_bare(fields_now[field])}"
        elif field in required_now - required_before:
            yield f"the field `{name}` was optional and is required"
        elif field in required_before - required_now:
            yield f"the field `{name}` was required and is optional"
    for field in fields_now:
        if field not in fields_before and field in required_now:
            yield f"the field `{prefix}{field}` is new and required"


def _bare(schema: Any) -> Any:
    if isinstance(schema, dict):
        members = cast("Schema", schema)
        return {key: _bare(value) for key, value in members.items() if key not in _FOR_PEOPLE}
    if isinstance(schema, list):
        return [_bare(value) for value in cast("list[Any]", schema)]
    return schema
