"""Artifacts in a bucket of S3, or of a server that speaks as S3 does."""

from importlib.util import find_spec
from typing import Any, BinaryIO

from optuna.artifacts import Boto3ArtifactStore
from optuna.artifacts.exceptions import ArtifactNotFound

from storage.errors import StorageError

# boto3 tries again what a busy endpoint refused or broke off, with growing pauses. In all they are
# 13 s on average for one that is away, 55 s for one that is busy (botocore 1.44; its 3 attempts
# last .1 s). AWS_MAX_ATTEMPTS and AWS_RETRY_MODE count. Then our own retries decide, minutes long.
ATTEMPTS = 10
# Statuses and codes of S3 that say "not now"; all others below 500 are refusals.
LATER = (408, 409, 425, 429)
LATER_CODES = ("RequestTimeout", "Throttling", "RequestLimitExceeded")
CONNECT_SECONDS = 10  # an endpoint that is away does not answer in boto3's 60 s either


class Bucket(Boto3ArtifactStore):
    """Optuna's store in a bucket."""

    def open_reader(self, artifact_id: str) -> BinaryIO:
        try:
            return super().open_reader(artifact_id)
        except ArtifactNotFound as error:
            # A bucket that is not there says nothing of its files.
            if error.__cause__ and "NoSuchBucket" in str(error.__cause__):
                raise error.__cause__ from None
            raise

    def size(self, artifact_id: str) -> int:
        with self.open_reader(artifact_id):  # ArtifactNotFound for a missing one
            answer = self.client.head_object(Bucket=self.bucket, Key=artifact_id)
            return int(answer["ContentLength"])


def parse(location: str) -> tuple[str, str]:
    """Split `s3://bucket/prefix` into the bucket and the beginning of every key in it.

    Raises StorageError where it names no bucket, or boto3 is not installed.
    """
    if find_spec("boto3") is None:
        raise StorageError(
            f"{location} needs boto3, which is not installed", "pip install 'search[s3]'"
        )
    bucket, _, prefix = location.removeprefix("s3://").strip("/").partition("/")
    if not bucket:
        raise StorageError(f"{location} names no bucket", "write it as s3://bucket/prefix")
    return bucket, f"{prefix}/" if prefix else ""


def open_bucket(name: str) -> Bucket:
    """Return a bucket, as boto3's own environment and files describe the way to it.

    Raises StorageError for a setting of boto3's that it cannot read.
    """
    try:
        return Bucket(name, _client(), avoid_buf_copy=True)
    except ValueError as error:  # of AWS_MAX_ATTEMPTS or of an address
        raise StorageError(
            f"boto3 cannot read one of its settings ({error})",
            "see the variables AWS_... and the files in ~/.aws",
        ) from error


def is_refused(error: Exception) -> bool:
    """Say whether an error of boto3's is a setting or a right that another try does not mend."""
    from botocore import exceptions as known

    if isinstance(error, known.ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)
        code = error.response.get("Error", {}).get("Code", "")
        return status < 500 and status not in LATER and code not in LATER_CODES
    # A connection that fails, breaks off or is late; a service for credentials that is away.
    away = (known.ConnectionError, known.HTTPClientError, known.IncompleteReadError)
    services = (known.CredentialRetrievalError, known.MetadataRetrievalError)
    return isinstance(error, known.BotoCoreError) and not isinstance(error, (*away, *services))


def _client() -> Any:
    import boto3  # takes .3 s, and is installed only where a bucket is used
    from botocore.config import Config
    from botocore.session import get_session

    session = get_session()
    settings: dict[str, Any] = {"connect_timeout": CONNECT_SECONDS, "tcp_keepalive": True}
    if session.get_config_variable("max_attempts") is None:
        settings["retries"] = {"total_max_attempts": ATTEMPTS}
    return boto3.Session(botocore_session=session).client("s3", config=Config(**settings))
