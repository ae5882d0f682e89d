"""Files and folders in a data folder that are no images, told by their names."""

import os
from collections.abc import Iterable
from pathlib import PurePosixPath

from objectives.data.pixels.formats import RAW, SLIDES

HIDDEN = "hidden"
HIDDEN_IMAGE = "hidden images"
BY_SYSTEM = "made by a system, not by you"
BACKUP = "backup copies"
UNFINISHED = "unfinished downloads"
PLACEHOLDER = "not downloaded from the cloud"
ZEROS = "of zeros, as a failed copy leaves them"
EMPTY = "empty files"
# Files with these endings are images without a look into them: a broken one is found by C05.
IMAGE_ENDS = (
    *(".png", ".jpg", ".jpeg", ".jfif", ".jpe", ".tif", ".tiff", ".bmp", ".webp", ".gif"),
    *(".pgm", ".ppm", ".pbm", ".pnm", ".jp2", ".j2k", ".avif"),
)

# Folders and files that a NAS, an operating system or a program makes beside images, some with
# small copies of them; in small letters.
SYSTEM_NAMES = {
    *("@eadir", "@recycle", "@recently-snapshot", "@tmp", "@sharebin", "@__thumb", ".@__thumb"),
    *("#recycle", "#snapshot", "~snapshot", ".snapshot", ".snapshots", ".zfs", "lost+found"),
    *("$recycle.bin", "recycler", "system volume information", "found.000", "$extend"),
    *("__macosx", ".appledouble", ".spotlight-v100", ".fseventsd", ".trashes", ".temporaryitems"),
    *("network trash folder", "temporary items", ".documentrevisions-v100", "resource.frk"),
    *(".trash", ".thumbnails", ".dropbox.cache", ".stfolder", ".stversions", ".sync", "_thumbs"),
    *(".git", ".dvc", ".svn", ".hg", ".vscode", ".idea", "node_modules", "__pycache__", ".cache"),
    *("thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "iconcache.db", "icon\r"),
    *(".ds_store", ".localized", "picasa.ini", ".picasa.ini", "zbthumbnail.info", "pspbrwse.jbf"),
    *("autorun.inf", "dicomdir", ".dropbox", ".nomedia", ".directory", ".gitignore", ".gitkeep"),
}
SYSTEM_STARTS = ("._", "~$", ".~lock.", ".trash-", ".nfs", "synophoto_", "synofile_")
SYSTEM_ENDS = (":zone.identifier",)
BACKUP_ENDS = (".bak", ".backup", ".orig", ".old", "~", ".swp", "_original", ".tmp", ".temp")
UNFINISHED_ENDS = (
    *(".part", ".partial", ".crdownload", ".download", ".opdownload", ".filepart", ".aria2"),
    *(".!ut", ".!qb", ".bt!", ".!sync"),
)
PLACEHOLDER_ENDS = (".icloud", ".nextcloud", ".owncloud")

# Endings of images and volumes that the reader of ordinary images does not read, some of which it
# reads where the contents say so (`format_of`).
UNREAD = {
    *(".heic", ".heif", ".jxl", ".jxr", ".psd", ".exr", ".hdr", ".tga", ".pcx", ".dds"),
    *(*RAW, *SLIDES, ".raw", ".cr3", ".orf", ".rw2", ".raf", ".xcf"),
    *(".dcm", ".dicom", ".ima", ".nii", ".mha", ".mhd", ".nrrd", ".nhdr", ".mgz", ".mnc", ".img"),
    *(".czi", ".nd2", ".lif", ".vsi", ".oib"),
}
# Endings of files that may hold images, and may as well hold something else, such as drawings,
# features or films.
CONTAINERS = {
    *(".npy", ".npz", ".mat", ".h5", ".hdf5", ".fits", ".fit", ".tfrecord", ".lmdb", ".svg"),
    *(".mp4", ".avi", ".mov", ".mkv", ".wmv", ".mpg", ".mpeg", ".webm", ".m4v", ".ico", ".eps"),
}
PACKED_ENDS = (".gz", ".bz2", ".xz", ".zst")  # of one packed file; .tar.gz is an archive


def passed_over(name: str, is_folder: bool) -> str:
    """Return the reason why a file or folder of this name is not looked at; "" for any other."""
    small = name.casefold()
    if small.endswith(PLACEHOLDER_ENDS):
        return PLACEHOLDER
    if small in SYSTEM_NAMES or small.startswith(SYSTEM_STARTS) or small.endswith(SYSTEM_ENDS):
        return BY_SYSTEM
    if small.startswith("."):
        return HIDDEN
    if is_folder:
        return ""
    if small.endswith(UNFINISHED_ENDS):
        return UNFINISHED
    return BACKUP if small.endswith(BACKUP_ENDS) else ""


def ending_of(name: str) -> str:
    """Return the ending of a file name in small letters, packed ones with both, or ""."""
    endings = [each.lower() for each in PurePosixPath(name).suffixes]
    if not endings or " " in endings[-1] or len(endings[-1]) > len(".tfrecord"):
        return ""
    return "".join(endings[-2:]) if endings[-1] in PACKED_ENDS else endings[-1]


def is_unread(ending: str) -> bool:
    """Whether files with this ending hold images or volumes in a format that is not read."""
    first, *packed = PurePosixPath(f"x{ending}").suffixes or [""]
    return first in UNREAD or bool(packed and first in (".png", ".jpg", ".jpeg", ".tif", ".tiff"))


def is_container(ending: str) -> bool:
    """Whether files with this ending may hold images."""
    return ending in CONTAINERS


def without_backup_end(path: str) -> str:
    """Return the path of the file that a backup copy was made of."""
    ends = [each for each in BACKUP_ENDS if path.lower().endswith(each)]
    return path[: -len(max(ends, key=len))] if ends else path


def as_text(paths: Iterable[str]) -> tuple[str, ...]:
    """Return paths as text, the bytes of a name that is not UTF-8 as their codes."""
    return tuple(
        path if path.isascii() else os.fsencode(path).decode("utf-8", "backslashreplace")
        for path in paths
    )
