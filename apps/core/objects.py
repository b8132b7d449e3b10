"""The S3 server that the settings name, with the environment's credentials: AWS_ACCESS_KEY_ID and its like.

The machine's metadata service is never asked. What may be read or written there is for the callers to decide.
"""

from __future__ import annotations

import os
import urllib.parse
from typing import TYPE_CHECKING, Final

from django.conf import settings

if TYPE_CHECKING:
    from pyarrow.fs import S3FileSystem

_CONNECT_SECONDS: Final = 5
_REQUEST_SECONDS: Final = 60


def has_credentials() -> bool:
    """Whether the environment has any."""
    return bool(os.environ.get("AWS_ACCESS_KEY_ID") and os.environ.get("AWS_SECRET_ACCESS_KEY"))


def connected() -> S3FileSystem:
    """The server. Whoever calls has asked `has_credentials`; pyarrow is loaded here, by those who need it."""
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"  # before the library looks
    from pyarrow.fs import AwsStandardS3RetryStrategy, S3FileSystem

    endpoint = urllib.parse.urlsplit(settings.CHECKS_S3_ENDPOINT)
    return S3FileSystem(
        access_key=os.environ["AWS_ACCESS_KEY_ID"],
        secret_key=os.environ["AWS_SECRET_ACCESS_KEY"],
        session_token=os.environ.get("AWS_SESSION_TOKEN") or None,
        region=settings.CHECKS_S3_REGION,
        endpoint_override=endpoint.netloc or None,
        scheme=endpoint.scheme or "https",
        connect_timeout=_CONNECT_SECONDS,
        request_timeout=_REQUEST_SECONDS,
        retry_strategy=AwsStandardS3RetryStrategy(max_attempts=3),
    )
