"""Weights that a library publishes: found in its cache, or fetched into it."""

import http.client
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torchvision import models

from objectives.contract import RecipeError

# A network that is down is told by then, and a slow one still sends something.
PATIENCE_SECONDS = 10.0
# What timm's repositories hold: the same weights, the first without pickles.
HUB_FILES = ("model.safetensors", "pytorch_model.bin")


def torchvision_file(backbone: str, tag: str) -> Path:
    """Give the file of torchvision's weights enum, downloaded if it is not in torch's cache.

    Raises RecipeError naming the file when it can be had neither way.
    """
    return url_file(backbone, models.get_weight(tag).url)


def url_file(backbone: str, url: str) -> Path:
    """Give the file of an address from torch's cache, downloaded if it is not there."""
    path = Path(torch.hub.get_dir()) / "checkpoints" / url.rsplit("/", 1)[-1]
    if path.is_file():
        return path
    named = torch.hub.HASH_REGEX.search(path.name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _patience():
            torch.hub.download_url_to_file(
                url, str(path), hash_prefix=named.group(1) if named else None, progress=False
            )
    except (OSError, RuntimeError, http.client.HTTPException) as error:
        raise RecipeError(
            f"image_classifier: {backbone}: {path} is not here and {url} cannot be fetched "
            f"({_said(error)}); put the file there, or set weights to its path or to none"
        ) from error
    return path


def hub_file(backbone: str, repository: str) -> Path:
    """Give a repository's weights from the Hugging Face cache, downloaded if they are not there.

    Raises RecipeError naming the repository when they can be had neither way.
    """
    from huggingface_hub import try_to_load_from_cache

    name, _, revision = repository.partition("@")
    for file in HUB_FILES:
        cached = try_to_load_from_cache(name, file, revision=revision or None)
        if isinstance(cached, str):
            return Path(cached)
    try:
        return _downloaded(name, revision or None)
    except _network_errors() as error:
        raise RecipeError(
            f"image_classifier: {backbone}: the weights of https://huggingface.co/{name} are not "
            f"here and cannot be fetched ({_said(error)}); put {HUB_FILES[0]} from there somewhere "
            "and set weights to its path, or set weights to none"
        ) from error


def _downloaded(name: str, revision: str | None) -> Path:
    from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url
    from huggingface_hub.errors import EntryNotFoundError

    for file in HUB_FILES:
        url = hf_hub_url(name, file, revision=revision)
        try:
            # Asked once: the download itself tries for minutes to reach a network that is down.
            get_hf_file_metadata(url, timeout=PATIENCE_SECONDS)
        except EntryNotFoundError:
            if file == HUB_FILES[-1]:
                raise
            continue
        return Path(hf_hub_download(name, file, revision=revision))
    raise FileNotFoundError(name)


def _network_errors() -> tuple[type[Exception], ...]:
    from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError

    # Its own error's bases are those of the HTTP library below, whichever that is.
    bases: tuple[Any, ...] = HfHubHTTPError.__bases__
    return (OSError, RuntimeError, EntryNotFoundError, *bases)


@contextmanager
def _patience() -> Iterator[None]:
    """Let no connection that is opened inside wait for ever: urllib sets no limit itself."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(PATIENCE_SECONDS)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _said(error: Exception) -> str:
    """Give an error's own first line."""
    return next(iter(str(error).splitlines()), type(error).__name__).strip(os.linesep + ".")
