"""Reads the XML answers of RDS, EC2 and other old services as botocore does, in a third of its time.

botocore asks of each item of a list each member that the model has, sixty for an instance, and most are absent. Here
each element that is there is looked up. Whatever is unusual in a shape or an answer is left to botocore.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from botocore.parsers import EC2QueryParser, QueryParser, ResponseParserFactory

if TYPE_CHECKING:
    from collections.abc import Callable
    from xml.etree.ElementTree import Element


_OF_NODES = frozenset({"structure", "list", "map"})
_SPECIAL = ("location", "flattened", "eventheader", "xmlAttribute")


class _Member(NamedTuple):
    name: str
    shape: Any
    read: Callable[[str], Any] | None
    """What makes a value of an element's text; None for what has elements of its own."""


_Members: TypeAlias = "dict[str, _Member | None]"


# The types of botocore that we check with leave out what a parser is made of.
_Query: Any = QueryParser
_Ec2Query: Any = EC2QueryParser


class _ByElement(_Query):  # type: ignore[misc]
    """Looks up what is there, by the tag of its element."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._known: dict[Any, _Members | None] = {}
        self._scalars: dict[str, Callable[[str], Any]] = {
            "string": str,
            "character": str,
            "boolean": "true".__eq__,
            "integer": int,
            "long": int,
            "float": float,
            "double": float,
            "timestamp": self._timestamp_parser,
        }

    def _handle_structure(self, shape: Any, node: Any) -> Any:
        try:
            members = self._known[shape]
        except KeyError:
            members = self._known[shape] = self._members(shape)
        if members is None or isinstance(node, list):
            return super()._handle_structure(shape, node)
        parsed: dict[str, Any] = {}
        for child in node:
            tag = child.tag
            try:
                member = members[tag]
            except KeyError:
                # With its namespace, the same for every answer of a service; or nothing that the model knows.
                member = members[tag] = members.get(tag.rpartition("}")[2])
            if member is None:
                continue
            name, of, read = member
            if name in parsed:
                return super()._handle_structure(shape, node)
            parsed[name] = self._parse_shape(of, child) if read is None else read(child.text or "")
        return parsed

    def _handle_list(self, shape: Any, node: Any) -> list[Any]:
        of = shape.member
        if of.type_name != "structure" or shape.serialization.get("flattened"):
            items: list[Any] = super()._handle_list(shape, node)
            return items
        return [self._handle_structure(of, item) for item in node]

    def _members(self, shape: Any) -> _Members | None:
        """The members of a structure by the names of their elements; None where botocore must read it."""
        if shape.is_tagged_union or shape.metadata.get("exception"):
            return None
        found: _Members = {}
        for name, of in shape.members.items():
            if any(of.serialization.get(special) for special in _SPECIAL):
                return None
            if of.type_name not in _OF_NODES and of.type_name not in self._scalars:
                return None
            found[self._member_key_name(of, name)] = _Member(name, of, self._scalars.get(of.type_name))
        return found

    def _node_tag(self, node: Element) -> str:
        return node.tag.rpartition("}")[2]


class _OfEc2(_ByElement, _Ec2Query):  # type: ignore[misc]
    """The same, with EC2's own forms of errors."""


class Parsers(ResponseParserFactory):
    """Gives each protocol its parser; one that was made serves every answer, for none holds anything of one."""

    _OURS = {"query": _ByElement, "ec2": _OfEc2}  # noqa: RUF012 - never changed

    def __init__(self) -> None:
        super().__init__()
        self._settings: dict[str, Any] = {}
        self._made: dict[str, Any] = {}

    def set_parser_defaults(self, **settings: Any) -> None:
        """What every parser is made with."""
        super().set_parser_defaults(**settings)
        self._settings.update(settings)

    def create_parser(self, protocol_name: str) -> Any:
        """The parser of a protocol."""
        if protocol_name not in self._made:
            ours = self._OURS.get(protocol_name)
            self._made[protocol_name] = (
                super().create_parser(protocol_name) if ours is None else ours(**self._settings)
            )
        return self._made[protocol_name]
