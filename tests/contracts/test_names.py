"""Names on the wire live in histories for years: they follow one pattern, and stand in the code as plain strings."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from platform_contracts.failures import UNKNOWN_FAILURE_TEXT, safe_text
from tests.architecture.members import ROOT
from tests.contracts.inventory import DOMAINS, FAILURES, PUBLISHED_ACTIVITIES, VIEWS, WORKFLOWS, InDomain, definition
from tests.contracts.samples import WORKFLOW_IDS

SOURCES = [
    path
    for folder in ("libs/contracts", "services")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if "src" in path.relative_to(ROOT).parts
]

# The decorators that give something a name on the wire; without `name=` it would be that of the Python function.
# Updates are not among them: the SDK types `name=` only for handlers that are not async, so theirs are recorded here.
NAMING = {
    f"{module}.{decorator}"
    for module, decorators in (("workflow", ("defn", "signal", "query")), ("activity", ("defn",)))
    for decorator in decorators
}
UPDATES = {
    "listing.Publication": {"review"},
    "listing.Purchase": {"outcome", "resolve_compensation"},
    "payment.PartnerPayout": {"decide"},
}


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda workflow: workflow.name)
def test_workflow_type_is_its_domain_and_the_name_of_its_contract(workflow: InDomain) -> None:
    contract: type = workflow.value

    assert re.fullmatch(rf"{workflow.domain}\.{contract.__name__}(\.v[2-9])?", workflow.name)


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda workflow: workflow.name)
def test_workflow_id_is_tenant_domain_kind_and_key(workflow: InDomain) -> None:
    contract: type = workflow.value
    kind = re.sub(r"(?<!^)(?=[A-Z])", "-", contract.__name__).lower()

    workflow_id = WORKFLOW_IDS[workflow.name]

    assert re.fullmatch(rf"[a-z0-9-]{{1,40}}:{workflow.domain}:{kind}:[A-Za-z0-9._~-]{{1,64}}", workflow_id)


@pytest.mark.parametrize("activity", PUBLISHED_ACTIVITIES, ids=lambda activity: activity.name)
def test_published_activity_is_its_domain_a_verb_and_an_object_where_it_needs_one(activity: InDomain) -> None:
    assert re.fullmatch(rf"{activity.domain}\.[a-z]+(_[a-z]+)*", activity.name)


@pytest.mark.parametrize("failures", FAILURES, ids=lambda failures: failures.value.__name__)
def test_failure_type_is_its_domain_and_what_is_wrong_and_has_a_text_for_clients(failures: InDomain) -> None:
    types = [str(member) for member in failures.value]

    assert types
    for failure_type in types:
        assert re.fullmatch(rf"{failures.domain}\.([A-Z][a-z]*)+", failure_type)
        assert safe_text(failure_type) != UNKNOWN_FAILURE_TEXT


def test_every_domain_says_how_it_fails() -> None:
    assert sorted(failures.domain for failures in FAILURES) == sorted(DOMAINS)


def test_views_have_a_path_of_their_own() -> None:
    paths = [view.name for view in VIEWS]

    assert len(paths) == len(set(paths))
    assert [path for path in paths if not re.fullmatch(r"[a-z]+/views/[a-z]+(-[a-z]+)*", path)] == []


def test_task_queues_are_the_names_of_the_domains() -> None:
    assert [domain for domain in DOMAINS if not re.fullmatch(r"[a-z]+", domain)] == []


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda workflow: workflow.name)
def test_updates_keep_their_names(workflow: InDomain) -> None:
    assert set(definition(workflow.value).updates) == UPDATES.get(workflow.name, set())


def test_names_on_the_wire_are_given_explicitly() -> None:
    unnamed = [place for path in SOURCES for place in _unnamed(path, ast.parse(path.read_text()))]

    assert not unnamed, (
        f"give each a name on the wire with `name=`: {unnamed}. Without one it is named like the Python function,\n"
        "and renaming that would break every history."
    )


@pytest.mark.parametrize(
    ("decorator", "noticed"),
    [
        ("workflow.signal", True),
        ("workflow.query()", True),
        ("activity.defn(name=f'{prefix}.do_it')", True),
        ("workflow.query(name='status')", False),
        ("workflow.defn(name=WORKFLOW_TYPE)", False),
    ],
)
def test_forgotten_name_is_noticed(decorator: str, *, noticed: bool) -> None:
    found = list(_unnamed(ROOT / "example.py", ast.parse(f"@{decorator}\ndef example(): ...\n")))

    assert bool(found) == noticed


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda workflow: workflow.name)
def test_workflow_type_stands_in_its_module_as_a_plain_string(workflow: InDomain) -> None:
    tree = ast.parse(Path(str(workflow.module.__file__)).read_text())

    found = [
        node.value.value
        for node in tree.body
        if isinstance(node, ast.AnnAssign)
        and isinstance(node.target, ast.Name)
        and node.target.id == "WORKFLOW_TYPE"
        and isinstance(node.value, ast.Constant)
    ]

    assert found == [workflow.name]


def _unnamed(path: Path, tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        for decorator in getattr(node, "decorator_list", ()):
            call = decorator if isinstance(decorator, ast.Call) else None
            if ast.unparse(call.func if call else decorator) not in NAMING:
                continue
            names = [keyword.value for keyword in call.keywords if keyword.arg == "name"] if call else []
            # A constant of the contract is as good as the string itself; what is put together at run time is not.
            if not names or not isinstance(names[0], ast.Constant | ast.Name | ast.Attribute):
                yield f"{path.relative_to(ROOT)}:{decorator.lineno}"
