"""What the client asks about the server itself."""

from __future__ import annotations

from typing import Final

from django.http import HttpResponse

from apps.api.mlflow.call import Answer, Call

# The client that the tests use; newer ones pick the routes they know of by it.
MLFLOW_VERSION: Final = "3.17.2"


def info(call: Call) -> Answer:
    """No workspaces, no multipart and no presigned transfers: clients then use plain PUT and GET."""
    return {
        "store_type": "SqlStore",
        "workspaces_enabled": False,
        "trace_archival_enabled": False,
        "multipart_uploads_enabled": False,
        "multipart_downloads_enabled": False,
        "presigned_upload_run_id_supported": False,
        "presigned_upload_model_id_supported": False,
        "features_enabled": {},
    }


def version(call: Call) -> Answer:
    """The protocol's version as text."""
    return HttpResponse(MLFLOW_VERSION, content_type="text/plain")
