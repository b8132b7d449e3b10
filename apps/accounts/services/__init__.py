"""What can be done about people and rights: one function per verb, grouped by subject."""

from apps.accounts.proof import ReauthProof
from apps.accounts.services.lending import lend_role, take_back
from apps.accounts.services.passwords import (
    change_password,
    reset_password,
    set_signing_password,
)
from apps.accounts.services.people import (
    create_service,
    create_user,
    deactivate_user,
    reactivate_user,
    set_service_owners,
    update_user,
)
from apps.accounts.services.provider import ProviderClaims, sign_in_by_provider
from apps.accounts.services.roles import (
    add_group,
    create_team,
    grant_creator_role,
    grant_role,
    map_group,
    rename_team,
    revoke_role,
)
from apps.accounts.services.setup import new_setup_token, set_up_first_administrator
from apps.accounts.services.sign_in import (
    authenticate_basic,
    authenticate_password,
    reauthenticate,
)
from apps.accounts.services.tokens import authenticate_token, issue_token, revoke_token

__all__ = [
    "ProviderClaims",
    "ReauthProof",
    "add_group",
    "authenticate_basic",
    "authenticate_password",
    "authenticate_token",
    "change_password",
    "create_service",
    "create_team",
    "create_user",
    "deactivate_user",
    "grant_creator_role",
    "grant_role",
    "issue_token",
    "lend_role",
    "map_group",
    "new_setup_token",
    "reactivate_user",
    "reauthenticate",
    "rename_team",
    "reset_password",
    "revoke_role",
    "revoke_token",
    "set_service_owners",
    "set_signing_password",
    "set_up_first_administrator",
    "sign_in_by_provider",
    "take_back",
    "update_user",
]
