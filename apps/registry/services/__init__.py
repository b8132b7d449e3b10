"""The verbs of the registry: the only way its rows change. One function per verb."""

from apps.registry.services.deployments import (
    change_traffic,
    end_deployment,
    record_deployment,
)
from apps.registry.services.environments import change_environment, create_environment
from apps.registry.services.from_runs import register_run
from apps.registry.services.models import (
    change_governance,
    create_model,
    delete_model,
    rename_model,
    update_model,
)
from apps.registry.services.moves import delete_alias, leave_target, set_alias, set_stage
from apps.registry.services.promotion import authorize, promote, put_back, revoke_authorizations
from apps.registry.services.retiring import in_the_way, restore_model, retire_model
from apps.registry.services.standing import apply_standing, require_tier
from apps.registry.services.tags import (
    delete_model_tag,
    delete_version_tag,
    set_model_tag,
    set_version_tag,
)
from apps.registry.services.uploads import Upload, upload_model, upload_version
from apps.registry.services.versions import (
    NewFile,
    create_version,
    delete_version,
    freeze,
    mark_decided,
    thaw,
    update_version,
)

__all__ = [
    "NewFile",
    "Upload",
    "apply_standing",
    "authorize",
    "change_environment",
    "change_governance",
    "change_traffic",
    "create_environment",
    "create_model",
    "create_version",
    "delete_alias",
    "delete_model",
    "delete_model_tag",
    "delete_version",
    "delete_version_tag",
    "end_deployment",
    "freeze",
    "in_the_way",
    "leave_target",
    "mark_decided",
    "promote",
    "put_back",
    "record_deployment",
    "register_run",
    "rename_model",
    "require_tier",
    "restore_model",
    "retire_model",
    "revoke_authorizations",
    "set_alias",
    "set_model_tag",
    "set_stage",
    "set_version_tag",
    "thaw",
    "update_model",
    "update_version",
    "upload_model",
    "upload_version",
]
