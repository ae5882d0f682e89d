"""Find the weights that a library publishes in its cache, or download them into it."""

import http.client
import os
import shutil
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import torch

from objectives.contract import RecipeError
from objectives.files.digest import sha256
from objectives.files.whole import write_whole

# Long enough for a slow network, which still sends data; a broken one is reported after it.
TIMEOUT_SECONDS = 10.0
# The files of timm's repositories: the same weights, the first without pickles.
HUB_FILES = ("model.safetensors", "pytorch_model.bin")


def torchvision_file(backbone: str, tag: str) -> Path:
    """Return the file of torchvision's weights enum, downloaded if torch's cache has none.

    Raises RecipeError naming the file when it can be had neither way.
    """
    from torchvision import models  # takes a second to load, which other networks do without

    return url_file(backbone, models.get_weight(tag).url)


def url_file(backbone: str, url: str) -> Path:
    """Return the file of an address from torch's cache, downloaded if it is missing.

    Raises RecipeError naming the file when it can be had neither way.
    """
    path = Path(torch.hub.get_dir()) / "checkpoints" / url.rsplit("/", 1)[-1]
    if path.is_file():
        return path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, lambda partial: _download(url, partial, path.name))
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise RecipeError(
            f"image_classifier: {backbone}: {path} is not here and {url} cannot be fetched "
            f"({_first_line(error)})",
            fix="put the file there, or set weights to its path or to none",
        ) from error
    return path


def hub_file(backbone: str, repository: str) -> Path:
    """Return a repository's weights from the Hugging Face cache, downloaded if they are missing.

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
            f"here and cannot be fetched ({_first_line(error)})",
            fix=f"put {HUB_FILES[0]} from there somewhere and set weights to its path, or set "
            "weights to none",
        ) from error


def _download(url: str, partial: Path, name: str) -> None:
    # Not torch.hub's own function: it sets no time-out, and one for the process hits all sockets.
    request = Request(url, headers={"User-Agent": "torch.hub"})
    with urlopen(request, timeout=TIMEOUT_SECONDS) as answer, partial.open("wb") as file:
        shutil.copyfileobj(answer, file)
    # torch's convention: a file's name ends with the first characters of its SHA-256.
    expected = torch.hub.HASH_REGEX.search(name)
    if expected and not sha256(partial).startswith(expected.group(1)):
        raise ValueError(f"the SHA-256 of the download is {sha256(partial)[:12]}")


def _downloaded(name: str, revision: str | None) -> Path:
    from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url
    from huggingface_hub.errors import EntryNotFoundError

    for file in HUB_FILES:
        url = hf_hub_url(name, file, revision=revision)
        try:
            # First, because the download itself retries for minutes when the network is down.
            get_hf_file_metadata(url, timeout=TIMEOUT_SECONDS)
        except EntryNotFoundError:
            if file == HUB_FILES[-1]:
                raise
            continue
        return Path(hf_hub_download(name, file, revision=revision))
    raise FileNotFoundError(name)


def _network_errors() -> tuple[type[Exception], ...]:
    from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError

    # The bases of its error are those of the HTTP library below, whichever that is.
    bases: tuple[Any, ...] = HfHubHTTPError.__bases__
    return (OSError, RuntimeError, EntryNotFoundError, *bases)


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__).strip(os.linesep + ".")
