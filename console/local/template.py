"""The SAM template as a deployment would leave it: transformed, parameters applied, references resolved.

Everything else in the local AWS is driven by this and by nothing else, so a queue that the template forgets
to connect is not connected here either.
"""

from __future__ import annotations

import json
import posixpath
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, unquote

import boto3
import yaml
from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

from console.local.intrinsics import Intrinsics, TemplateError, as_text
from console.local.naming import Deployment, Identity, identify, identifying_properties
from console.local.parameters import check_rules, parameter_values
from console.local.permissions import Request, Statement, allows, managed_policy, parse_policy

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SAM: Final = "AWS::Serverless-2016-10-31"
# The transform wants code in S3; the local path travels in the key, so that it can be found again afterwards.
_LOCAL_BUCKET: Final = "local-code"
_CODE_PROPERTIES: Final = {
    "AWS::Serverless::Function": "CodeUri",
    "AWS::Serverless::LayerVersion": "ContentUri",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalResource:
    """A resource of the transformed template with resolved properties and the identity it would be given."""

    logical_id: str
    type: str
    properties: Mapping[str, Any]
    identity: Identity
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Return the physical name."""
        return self.identity.name

    @property
    def ref(self) -> str:
        """Return what `Ref` returns for it."""
        return self.identity.ref

    @property
    def arn(self) -> str:
        """Return the ARN of a resource that has one."""
        if self.identity.arn is None:
            raise TemplateError(f"{self.logical_id} ({self.type}) has no ARN")
        return self.identity.arn


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalRole:
    """An IAM role with everything that the template grants it."""

    logical_id: str
    name: str
    arn: str
    trust: tuple[Statement, ...]
    statements: tuple[Statement, ...]
    managed_policy_arns: tuple[str, ...]

    def allows(self, action: str, resource: str, *, context: Mapping[str, str] | None = None) -> bool:
        """Say whether the role's own and AWS's managed policies allow an action on a resource."""
        managed = [statement for arn in self.managed_policy_arns for statement in managed_policy(arn) or ()]
        request = Request(action=action, resource=resource, context=context or {})
        return allows((*self.statements, *managed), request)


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalFunction:
    """A Lambda function as configured; `code_uri` and `layer_uris` are the paths that the template gave."""

    logical_id: str
    name: str
    arn: str
    handler: str
    runtime: str
    timeout: int
    memory: int
    environment: Mapping[str, str]
    role_arn: str
    code_uri: str | None
    layer_uris: tuple[str, ...]
    dead_letter_arn: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalTemplate:
    """A deployed stack: its resources by logical id, and its parameters, outputs and place of deployment."""

    deployment: Deployment
    parameters: Mapping[str, object]
    resources: Mapping[str, LocalResource]
    outputs: Mapping[str, Any]
    functions: Mapping[str, LocalFunction]
    roles: Mapping[str, LocalRole]

    @property
    def region(self) -> str:
        """Return the Region of the deployment."""
        return self.deployment.region

    @property
    def account_id(self) -> str:
        """Return the account of the deployment."""
        return self.deployment.account_id

    def of_type(self, resource_type: str) -> tuple[LocalResource, ...]:
        """Return the resources of one type, in the template's order."""
        return tuple(resource for resource in self.resources.values() if resource.type == resource_type)

    def by_arn(self, arn: str) -> LocalResource | None:
        """Return the resource with an ARN, or None if it is not in this stack."""
        return next((item for item in self.resources.values() if item.identity.arn == arn), None)

    def function(self, reference: str) -> LocalFunction | None:
        """Find a function by logical id, name or ARN, where the ARN may be a version's or an alias's."""
        if reference in self.functions:
            return self.functions[reference]
        name = reference.rsplit(":function:", maxsplit=1)[-1].partition(":")[0]
        return next((function for function in self.functions.values() if function.name == name), None)

    def role(self, reference: str) -> LocalRole | None:
        """Find a role by logical id, name or ARN; None if it is not in this stack."""
        return next(
            (role for role in self.roles.values() if reference in (role.logical_id, role.name, role.arn)),
            None,
        )


def load_template(
    path: Path | str,
    parameters: Mapping[str, object] | None = None,
    *,
    region: str = "eu-west-1",
    account_id: str = "123456789012",
    stack_name: str = "aurora-warden",
) -> LocalTemplate:
    """Read a SAM template from a file as it would be deployed with these parameters."""
    content = Path(path).read_text(encoding="utf-8")
    return read_template(content, parameters, region=region, account_id=account_id, stack_name=stack_name)


def read_template(
    content: str,
    parameters: Mapping[str, object] | None = None,
    *,
    region: str = "eu-west-1",
    account_id: str = "123456789012",
    stack_name: str = "aurora-warden",
) -> LocalTemplate:
    """Read a SAM template's text as it would be deployed with these parameters."""
    given = {name: as_text(value) for name, value in (parameters or {}).items()}
    values = parameter_values(_parse(content).get("Parameters", {}), given)
    transformed = _transform(content, tuple(sorted(given.items())), region)
    deployment = Deployment(account_id=account_id, region=region, stack_name=stack_name)
    return _Stack(transformed, values, deployment).template()


@lru_cache(maxsize=16)
def _parse(content: str) -> dict[str, Any]:
    try:
        template = yaml_parse(content)
    except yaml.YAMLError as error:
        raise TemplateError(f"the template is no YAML: {error}") from error
    if not isinstance(template, dict) or not isinstance(template.get("Resources"), dict):
        raise TemplateError("a template is a mapping with Resources")
    transforms = template.get("Transform", _SAM)
    others = set(transforms if isinstance(transforms, list) else [transforms]) - {_SAM}
    if others:
        raise TemplateError(f"the local AWS cannot run the transform {', '.join(sorted(map(str, others)))}")
    return template


@lru_cache(maxsize=16)
def _transform(content: str, parameters: tuple[tuple[str, str], ...], region: str) -> dict[str, Any]:
    """Run the SAM transform; the result is shared between calls, so nobody may change it."""
    template = json.loads(json.dumps(_parse(content), default=str))  # the translator changes its argument
    _point_code_into_s3(template)
    translator = Translator(None, Parser(), boto_session=boto3.session.Session(region_name=region))
    try:
        transformed: dict[str, Any] = translator.translate(
            template,
            parameter_values=dict(parameters),
            passthrough_metadata=True,
            get_managed_policy_map=dict,
        )
    except InvalidDocumentException as error:
        reasons = "; ".join(cause.message for cause in error.causes)
        raise TemplateError(f"the SAM transform refuses the template: {reasons}") from error
    finally:
        translator.metrics.publish()  # to nobody; the translator complains about numbers that nobody took
    return transformed


def _point_code_into_s3(template: dict[str, Any]) -> None:
    shared = template.get("Globals", {}).get("Function", {})
    holders = [(shared, "CodeUri")] + [
        (resource.get("Properties", {}), _CODE_PROPERTIES[resource["Type"]])
        for resource in template["Resources"].values()
        if resource.get("Type") in _CODE_PROPERTIES
    ]
    for properties, key in holders:
        uri = properties.get(key)
        if isinstance(uri, str) and not uri.startswith("s3://"):
            properties[key] = f"s3://{_LOCAL_BUCKET}/{quote(posixpath.normpath(uri))}"


def _local_path(bucket: object, key: object) -> str | None:
    return unquote(str(key)) if bucket == _LOCAL_BUCKET else None


class _Stack:
    """One reading of a transformed template; the `Names` that its intrinsic functions ask."""

    def __init__(
        self, transformed: Mapping[str, Any], parameters: Mapping[str, object], deployment: Deployment
    ) -> None:
        self._raw: Mapping[str, Any] = transformed["Resources"]
        self._transformed = transformed
        self._parameters = parameters
        self._deployment = deployment
        self._pseudo = deployment.pseudo_parameters()
        self._identities: dict[str, Identity] = {}
        self._naming: list[str] = []
        self._intrinsics = Intrinsics(
            names=self,
            conditions=transformed.get("Conditions", {}),
            mappings=transformed.get("Mappings", {}),
        )

    def ref(self, name: str) -> object:
        if name in self._pseudo:
            return self._pseudo[name]
        return self._parameters[name] if name in self._parameters else self._identity(name).ref

    def attribute(self, resource: str, name: str) -> object:
        return self._identity(resource).attribute(self._raw[resource]["Type"], name)

    def template(self) -> LocalTemplate:
        check_rules(self._transformed.get("Rules", {}), self._intrinsics)
        resources = {
            logical_id: self._resource(logical_id) for logical_id in self._raw if self._exists(logical_id)
        }
        outputs = {
            name: self._intrinsics.resolve(output["Value"])
            for name, output in self._transformed.get("Outputs", {}).items()
            if "Condition" not in output or self._intrinsics.holds(output["Condition"])
        }
        return LocalTemplate(
            deployment=self._deployment,
            parameters=self._parameters,
            resources=resources,
            outputs=outputs,
            functions=dict(_functions(resources)),
            roles=dict(_roles(resources)),
        )

    def _exists(self, logical_id: str) -> bool:
        raw = self._raw.get(logical_id)
        return raw is not None and ("Condition" not in raw or self._intrinsics.holds(raw["Condition"]))

    def _resource(self, logical_id: str) -> LocalResource:
        raw = self._raw[logical_id]
        depends = raw.get("DependsOn", [])
        for other in [depends] if isinstance(depends, str) else depends:
            if other not in self._raw:
                raise TemplateError(f"{logical_id} depends on {other}, which is not in the template")
        try:
            properties = self._intrinsics.resolve(raw.get("Properties", {}))
        except TemplateError as error:
            raise TemplateError(f"{logical_id}: {error}") from error
        return LocalResource(
            logical_id=logical_id,
            type=raw["Type"],
            properties=properties,
            identity=self._identity(logical_id),
            metadata=raw.get("Metadata", {}),
        )

    def _identity(self, logical_id: str) -> Identity:
        if logical_id in self._identities:
            return self._identities[logical_id]
        if not self._exists(logical_id):
            raise TemplateError(f"unresolved resource dependency [{logical_id}]")
        if logical_id in self._naming:
            raise TemplateError(f"circular dependency between resources: {', '.join(self._naming)}")
        self._naming.append(logical_id)
        raw = self._raw[logical_id]
        wanted = identifying_properties(raw["Type"])
        properties = {key: item for key, item in raw.get("Properties", {}).items() if key in wanted}
        identity = identify(self._deployment, raw["Type"], logical_id, self._intrinsics.resolve(properties))
        self._naming.pop()
        self._identities[logical_id] = identity
        return identity


def _functions(resources: Mapping[str, LocalResource]) -> Iterator[tuple[str, LocalFunction]]:
    layers = {
        item.ref: _local_path(*_s3(item.properties.get("Content", {})))
        for item in resources.values()
        if item.type == "AWS::Lambda::LayerVersion"
    }
    for item in resources.values():
        if item.type != "AWS::Lambda::Function":
            continue
        properties = item.properties
        yield (
            item.logical_id,
            LocalFunction(
                logical_id=item.logical_id,
                name=item.name,
                arn=item.arn,
                handler=properties.get("Handler", ""),
                runtime=properties.get("Runtime", ""),
                timeout=int(properties.get("Timeout", 3)),
                memory=int(properties.get("MemorySize", 128)),
                environment={
                    name: as_text(value)
                    for name, value in properties.get("Environment", {}).get("Variables", {}).items()
                },
                role_arn=properties.get("Role", ""),
                code_uri=_local_path(*_s3(properties.get("Code", {}))),
                layer_uris=tuple(path for arn in properties.get("Layers", ()) if (path := layers.get(arn))),
                dead_letter_arn=properties.get("DeadLetterConfig", {}).get("TargetArn"),
            ),
        )


def _s3(code: Mapping[str, Any]) -> tuple[object, object]:
    return code.get("S3Bucket"), code.get("S3Key")


def _roles(resources: Mapping[str, LocalResource]) -> Iterator[tuple[str, LocalRole]]:
    policies = [item for item in resources.values() if item.type.startswith("AWS::IAM::")]
    for item in policies:
        if item.type != "AWS::IAM::Role":
            continue
        managed = item.properties.get("ManagedPolicyArns", [])
        documents = [policy["PolicyDocument"] for policy in item.properties.get("Policies", ())]
        for policy in policies:
            attached = policy.properties.get("Roles", [policy.properties.get("RoleName")])
            by_arn = policy.type == "AWS::IAM::ManagedPolicy" and policy.ref in managed
            if (
                policy is not item
                and "PolicyDocument" in policy.properties
                and (item.name in attached or by_arn)
            ):
                documents.append(policy.properties["PolicyDocument"])
        yield (
            item.logical_id,
            LocalRole(
                logical_id=item.logical_id,
                name=item.name,
                arn=item.arn,
                trust=parse_policy(item.properties.get("AssumeRolePolicyDocument", {})),
                statements=tuple(statement for document in documents for statement in parse_policy(document)),
                managed_policy_arns=tuple(arn for arn in managed if ":aws:policy/" in arn),
            ),
        )
