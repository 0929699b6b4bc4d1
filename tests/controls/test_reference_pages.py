"""The generated reference: every page says what its control says, and is on disk as it is generated."""

from __future__ import annotations

import re
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tools.generators import controls as generator
from tools.generators import frameworks as framework_page
from tools.generators._database_permissions import need_actions
from tools.generators._themes import themes
from warden.controls import all_controls
from warden.core.control import Maturity
from warden.core.framework_catalogue import FRAMEWORKS
from warden.core.guard import CustomGroup, NonEmptyListOf, Permit, Text

if TYPE_CHECKING:
    from warden.core.control import Control
    from warden.core.framework_catalogue import Framework

CONTROLS = all_controls()
PAGES = {path.name: text for path, text in generator.generate().items()}
DIRECTORY = Path(__file__).parents[2] / "docs" / "reference" / "controls"


def test_there_is_a_page_for_every_control_and_an_index() -> None:
    assert set(PAGES) == {f"{control.id}.md" for control in CONTROLS} | {"index.md"}


def test_the_pages_are_on_disk_as_they_are_generated() -> None:
    on_disk = {path.name: path.read_text(encoding="utf-8") for path in DIRECTORY.iterdir()}
    assert on_disk == {name: text + "\n" for name, text in PAGES.items()}


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.id)
def test_a_page_holds_what_its_control_declares(control: Control) -> None:
    page = PAGES[f"{control.id}.md"]
    assert re.findall(r"^## (.+)$", page, re.MULTILINE) == [
        heading
        for heading in (
            "Why it matters",
            "What is read",
            "What makes it look again",
            "What is done",
            "Remediation safety",
            "Permissions",
            "Settings" if control.settings else None,
            "Frameworks",
            "How to fix it by hand",
            "Verdicts",
            "References",
        )
        if heading
    ]
    assert f"# {control.title}\n" in page
    assert control.fix.strip() in page
    assert control.remediation is not None
    for permit in control.remediation.permits:
        for word in (permit.action, *permit.dependent_actions, *permit.required):
            assert f"`{word}`" in page
    reads, looks = page.split("## What is read")[1].split("## What is done")[0].split("## What makes it")
    for need in (*control.needs, *control.remediation.needs):
        [line] = [line for line in reads.splitlines() if line.startswith(f"- `{need.value}`")]
        assert all(f"`{action}`" in line for action in need_actions(need))
    assert "- the sweep, `rate(" in looks
    for setting in control.settings:
        assert setting.doc in page
    for requirement in control.frameworks:
        [row] = [line for line in page.splitlines() if line.startswith(f"| {requirement.framework} |")]
        assert requirement.number in row.removesuffix(" |").split(" | ")[1].split(", ")
    for example in control.examples:
        assert f"| {example.name} | {example.expect.value} |" in page
    assert "object at 0x" not in page


@pytest.mark.parametrize(
    ("control", "calls"),
    [
        ("cluster_deletion_protection_enabled", {"ModifyDBCluster", "CreateDBCluster", "ModifyDBInstance"}),
        ("cluster_tls_enforced", {"ModifyDBClusterParameterGroup", "ResetDBClusterParameterGroup"}),
        ("instance_tls_enforced", {"ModifyDBParameterGroup", "RestoreDBInstanceFromDBSnapshot"}),
        ("db_snapshot_not_public", {"ModifyDBSnapshotAttribute", "CopyDBSnapshot", "DeleteDBInstance"}),
        ("proxy_requires_tls", {"CreateDBProxy", "ModifyDBProxy"}),
    ],
)
def test_a_page_names_the_calls_that_lead_to_its_kind(control: str, calls: set[str]) -> None:
    looks = PAGES[f"{control}.md"].split("## What makes it look again")[1].split("##")[0]
    assert {f"`{name}`" for name in calls} <= set(looks.replace(",", "").split())
    assert "`DescribeDBClusters`" not in looks


def test_a_page_names_what_services_tell_of_its_kind() -> None:
    cluster = PAGES["cluster_tls_enforced.md"]
    assert "- RDS's own events: `RDS DB Cluster Event`" in cluster
    assert "- AWS Config: a recorded change of an `AWS::RDS::DBCluster`" in cluster
    assert "- Security Hub: an open finding about an `AwsRdsDbCluster`" in cluster
    # A group of parameters is judged by the databases that use it.
    assert "`RDS DB Parameter Group Event`" in PAGES["instance_tls_enforced.md"]
    assert "RDS's own events" not in PAGES["kms_key_usable.md"]


def test_a_page_names_the_calls_about_what_its_needs_are_read_from() -> None:
    def looks(control: str) -> str:
        return PAGES[f"{control}.md"].split("## What makes it look again")[1].split("\n## ")[0]

    routes = looks("cluster_subnets_private")
    assert re.search(r"about a route table that it uses: .*`ReplaceRoute`", routes)
    assert "`CreateNetworkAclEntry`" not in routes
    # It looks again all the same, as every control of its kind.
    assert re.search(r"as for every control of a DB cluster, .*a network ACL", routes)
    assert re.search(
        r"as for every control of a DB cluster, .*a secret", looks("cluster_master_secret_healthy")
    )
    assert "`RotationFailed`" in looks("secret_rotated_recently")
    assert "`AuthorizeSecurityGroupIngress`" in looks("security_group_not_open_to_world")


def test_the_index_links_every_page_and_tells_its_safety() -> None:
    for control in CONTROLS:
        [row] = [line for line in PAGES["index.md"].splitlines() if f"]({control.id}.md)" in line]
        assert control.title in row
        assert control.severity.value in row
        assert control.remediation is not None
        if control.remediation.permits:
            assert control.remediation.safety.value in row
        else:
            assert "never unattended" in row


def test_every_table_has_the_same_number_of_cells_in_every_row() -> None:
    for text in PAGES.values():
        for table in re.findall(r"(?:^\|.*\|$\n?)+", text, re.MULTILINE):
            widths = {len(re.split(r"(?<!\\)\|", line)) for line in table.strip().splitlines()}
            assert len(widths) == 1


def test_a_preview_without_a_remediation_says_both(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = replace(CONTROLS[0], remediation=None, maturity=Maturity.PREVIEW, settings=())
    monkeypatch.setattr(generator, "all_controls", lambda: (plain,))
    pages = {path.name: text for path, text in generator.generate().items()}
    page = pages[f"{plain.id}.md"]
    assert "preview: it only ever observes" in page
    assert "Warden writes nothing" in page
    assert "To put right" not in page
    assert "## Settings" not in page
    assert "tells a person how | never unattended" in pages["index.md"]


def test_what_a_permit_accepts_is_said_for_every_declaration_of_the_guard(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Undocumented:
        def refusal(self, value: Any, facts: Any) -> str | None:
            return None

    def page(accepts: Any) -> str:
        permit = Permit(operation="ModifyDBCluster", required={"Port": accepts})
        remediation = CONTROLS[0].remediation
        assert remediation is not None
        control = replace(CONTROLS[0], remediation=replace(remediation, permits=(permit,)))
        monkeypatch.setattr(generator, "all_controls", lambda: (control,))
        return next(text for path, text in generator.generate().items() if path.stem == control.id)

    assert "| `Port` | a text |" in page(Text())
    assert "| `Port` | a text that begins with `warden-` |" in page(Text("warden-"))
    assert "| `Port` | a list, not empty |" in page(NonEmptyListOf())
    assert "The resource's own parameter group" in page(CustomGroup("DBClusterParameterGroup"))
    with pytest.raises(LookupError, match="Undocumented has no docstring"):
        page(Undocumented())


def test_a_need_that_says_nothing_about_itself_is_refused() -> None:
    class Undocumented(StrEnum):
        NOTHING = "Nothing"

    with pytest.raises(LookupError, match=r"Need\.NOTHING has no docstring"):
        generator._need_doc(Undocumented.NOTHING)  # type: ignore[arg-type]  # a stranger to the enumeration


# --- frameworks ---------------------------------------------------------------------------------------------


[FRAMEWORK_PAGE] = framework_page.generate().values()


@pytest.mark.parametrize("framework", FRAMEWORKS.values(), ids=lambda framework: framework.key)
def test_a_framework_has_a_row_for_each_requirement_that_controls_map_to(framework: Framework) -> None:
    section = FRAMEWORK_PAGE.split(f"\n## {framework.name}\n")[1].split("\n## ")[0]
    rows = dict(re.findall(r"^\| (\S+) \| (\[.*) \|$", section, re.MULTILINE))
    wanted: dict[str, set[str]] = {}
    for control in CONTROLS:
        for requirement in control.frameworks:
            if requirement.framework == framework.name:
                wanted.setdefault(requirement.number, set()).add(control.id)
    assert {number: set(re.findall(r"`(\w+)`", cell)) for number, cell in rows.items()} == wanted
    assert f"| `{framework.key}` | {len(wanted)} |" in FRAMEWORK_PAGE
    if "Without a control" in section:
        rest = re.sub(r" \([^)]*\)", "", section.split("Without a control of Warden's: ")[1])
        assert set(rest.strip().removesuffix(".").split(", ")) | wanted.keys() == framework.identifiers


def test_the_reasons_are_about_identifiers_that_exist() -> None:
    known = {number for framework in FRAMEWORKS.values() for number in framework.identifiers}
    assert framework_page._WHY_NOT.keys() <= known


def test_every_control_has_one_row_with_all_that_it_maps_to() -> None:
    section = FRAMEWORK_PAGE.split("\n## By control\n")[1]
    for control in CONTROLS:
        [row] = [line for line in section.splitlines() if line.startswith(f"| [`{control.id}`]")]
        for requirement in control.frameworks:
            assert re.search(rf"[ :]{re.escape(requirement.number)}(,|<br>| \|)", row), requirement


def test_the_themes_are_those_of_the_policy_file_and_hold_every_control_once() -> None:
    found = themes([control.id for control in CONTROLS])
    assert sorted(name for ids in found.values() for name in ids) == [control.id for control in CONTROLS]
    assert "cluster_tls_enforced" in found["Encryption in transit"]
    assert "cluster_snapshot_not_public" in found["Open to the world"]
    assert themes(["cluster_tls_enforced", "stranger"])["Not in the policy file"] == ["stranger"]
