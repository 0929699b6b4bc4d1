"""The reads beyond a Describe item that a control may ask for: each theme's module answers some needs.

A theme is imported when one of its needs is first asked for.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from warden.core.errors import ConfigurationError
from warden.core.kinds import Need
from warden.core.lazy import Lazy
from warden.core.resource import Resource
from warden.gateways.reads import Reads

if TYPE_CHECKING:
    from collections.abc import Mapping

Answer: TypeAlias = Callable[[Reads, Resource], Any]
"""Raises the errors of `core.errors`; MissingFactError or KeyError where the answer lacks something."""

BUILDS_ON_OTHERS = frozenset(
    {
        Need.CLASS_SUPPORT,
        Need.MEMBER_PARAMETERS,
        Need.PREFIX_LISTS,
        Need.SIBLING_RULES,
        Need.GUARDDUTY_ADMINISTRATOR,
    }
)
"""Needs whose answers read those of others, which have to be there before; the others are read at the same time."""

THEMES: Mapping[str, frozenset[Need]] = {
    "rds": frozenset(
        {
            Need.BLUE_GREEN,
            Need.CLASS_SUPPORT,
            Need.ENCRYPTED_COPIES,
            Need.EXPORTABLE_LOG_TYPES,
            Need.GLOBAL_CLUSTER,
            Need.MEMBERS,
            Need.PARAMETER_GROUP_USERS,
            Need.RESTORE_ACCOUNTS,
        }
    ),
    "parameters": frozenset({Need.PARAMETERS, Need.INSTANCE_PARAMETERS, Need.MEMBER_PARAMETERS}),
    "tls": frozenset({Need.CERTIFICATE_ROTATION, Need.INSTANCE_GROUP_USERS}),
    "keys": frozenset(
        {
            Need.INSIGHTS_KEY,
            Need.KEY_ALIASES,
            Need.KEY_GRANTS,
            Need.KEY_POLICY,
            Need.KEY_ROTATION,
            Need.KEY_USERS,
            Need.MASTER_SECRET_KEY,
            Need.STORAGE_KEY,
        }
    ),
    "secrets_manager": frozenset({Need.SECRET_POLICY}),
    "network": frozenset(
        {
            Need.GUARDED_DATABASES,
            Need.NETWORK_INTERFACES,
            Need.PREFIX_LISTS,
            Need.SECURITY_GROUPS,
            Need.SECURITY_GROUP_RULES,
            Need.SIBLING_RULES,
            Need.SUBNET_ACLS,
            Need.SUBNET_ROUTES,
        }
    ),
    "identity": frozenset({Need.IDENTITY_POLICIES}),
    "detection": frozenset(
        {
            Need.DETECTORS,
            Need.EVENT_SUBSCRIPTIONS,
            Need.GUARDDUTY_ADMINISTRATOR,
            Need.LOG_DATABASE,
            Need.SUBSCRIPTION_FILTERS,
            Need.SUBSCRIPTION_POLICIES,
            Need.TRAILS,
        }
    ),
    "alarms": frozenset({Need.ALARMS, Need.FIRING_ALARMS}),
    "lifecycle": frozenset({Need.ENGINE_STATUS, Need.SUPPORT_DATES, Need.UPGRADE_TARGETS}),
    "backups": frozenset({Need.BACKUP_OPT_IN, Need.BACKUP_PLANS, Need.RECENT_EVENTS, Need.RECOVERY_POINTS}),
    "deletions": frozenset({Need.DELETIONS}),
    "procedures": frozenset(
        {
            Need.ALIAS_KEYS,
            Need.ENCRYPTION_PROCEDURE,
            Need.INBOUND_RULES,
            Need.OWN_GROUP,
            Need.QUOTAS,
            Need.SUBNET_GROUPS,
        }
    ),
    "successors": frozenset({Need.SUCCESSOR}),
}
"""The needs that each module of this package has in its `ANSWERS`."""

_THEME_OF: Mapping[Need, str] = {need: theme for theme, needs in THEMES.items() for need in needs}


def _answer(need: Need) -> Answer:
    """What answers a need; raises ConfigurationError where its theme answers others than are said above."""
    theme = _THEME_OF[need]
    answers: Mapping[Need, Answer] = importlib.import_module(f"{__name__}.{theme}").ANSWERS
    if different := THEMES[theme] ^ answers.keys():
        msg = f"{__name__}.{theme} and THEMES differ in {', '.join(sorted(different))}"
        raise ConfigurationError(msg)
    return answers[need]


ANSWERS: Mapping[Need, Answer] = Lazy(_THEME_OF, _answer)
