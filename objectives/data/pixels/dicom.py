"""DICOM images: pixels with the window that the file asks for; no name is read.

Only the elements in `ELEMENTS` are kept of a file. None of them says who the patient is.
"""

import logging
import warnings
import zlib
from collections.abc import Callable
from copy import copy
from typing import IO, Any, TypeVar

import numpy as np
import numpy.typing as npt
from PIL import Image

from objectives.data.pixels.blanks import SPREAD
from objectives.data.pixels.picture import Picture
from objectives.data.pixels.unfit import REPLACE, UNREADABLE, UnfitImage

ELEMENTS = (
    *("SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "NumberOfFrames"),
    *("Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"),
    *("RescaleSlope", "RescaleIntercept", "ModalityLUTSequence", "VOILUTSequence"),
    *("WindowCenter", "WindowWidth", "VOILUTFunction"),
    *("RedPaletteColorLookupTableDescriptor", "RedPaletteColorLookupTableData"),
    *("GreenPaletteColorLookupTableDescriptor", "GreenPaletteColorLookupTableData"),
    *("BluePaletteColorLookupTableDescriptor", "BluePaletteColorLookupTableData"),
    "SegmentedRedPaletteColorLookupTableData",
    "SegmentedGreenPaletteColorLookupTableData",
    "SegmentedBluePaletteColorLookupTableData",
    *("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"),
    *("ExtendedOffsetTable", "ExtendedOffsetTableLengths", "TotalPixelMatrixColumns"),
    *("FloatPixelData", "DoubleFloatPixelData", "PixelData"),
)
INSTALL = "pip install 'search[dicom]'"
UNPACK = "save it uncompressed, for example with `gdcmconv --raw`"

T = TypeVar("T")
Values = npt.NDArray[Any]  # (rows, columns) or (rows, columns, 3)


def dicom_picture(file: IO[bytes], page: int | None) -> Picture:
    """Read the header of a DICOM file; its pixels are decoded when they are asked for.

    page: the frame, from 1 on; None for the only one.

    Raises UnfitImage for a file without pixels, and where pydicom is not installed.
    """
    elements = read_elements(file)
    return _guarded(lambda: _picture(elements, (page or 1) - 1))


def read_elements(file: IO[bytes]) -> Any:
    """Read `ELEMENTS` of a DICOM file, with or without preamble, as pydicom's data set.

    Raises UnfitImage.
    """
    try:
        from pydicom import dcmread
    except ImportError as error:
        raise UnfitImage("DICOM needs pydicom, which is not installed", fix=INSTALL) from error
    # It warns of every value that breaks the standard's form, on stderr and in its log.
    warnings.filterwarnings("ignore", module=r"pydicom\.")
    logging.getLogger("pydicom").setLevel(logging.CRITICAL)
    elements = _guarded(lambda: dcmread(file, force=True, specific_tags=list(ELEMENTS)))
    _check_pixels(elements)
    return elements


def _picture(elements: Any, frame: int) -> Picture:
    _take_frame_values(elements, frame)
    _complete_slope(elements)
    _check_bits(elements)
    frames, kind = int(elements.get("NumberOfFrames") or 1), elements.PhotometricInterpretation
    is_grey = kind.startswith("MONOCHROME")
    is_shown = kind == "PALETTE COLOR" or (is_grey and _window(elements))
    return Picture(
        pages=frames,
        width=int(elements.Columns),
        height=int(elements.Rows),
        mode="L" if is_grey else "RGB",
        # Of the file, where our scaling to eight narrows them and no window says how.
        bits=8 if is_shown else max(8, int(elements.BitsStored)),
        is_slide=frames > 1 and bool(elements.get("TotalPixelMatrixColumns")),
        image=lambda: _guarded(lambda: _decoded(elements, frame)),
    )


def _guarded(read: Callable[[], T]) -> T:
    """Return what `read` does; UnfitImage for a damaged file."""
    from pydicom.errors import BytesLengthException, InvalidDicomError

    damages = (InvalidDicomError, BytesLengthException, AttributeError, ArithmeticError)
    try:
        return read()
    except (*UNREADABLE, *damages, MemoryError, zlib.error) as error:
        reason = "; ".join(str(error).split("\n")) or type(error).__name__
        raise UnfitImage(f"damaged DICOM: {reason}", fix=REPLACE) from error


def _check_pixels(elements: Any) -> None:
    if "PixelData" not in elements:
        floats = {"FloatPixelData", "DoubleFloatPixelData"} & set(elements.dir())
        found = "floating-point pixels, of unknown scale" if floats else "DICOM without pixels"
        raise UnfitImage(found, fix="save it as PNG" if floats else REPLACE)
    size = [elements.get(side) for side in ("Rows", "Columns", "BitsStored", "BitsAllocated")]
    if not all(size) or not elements.get("PhotometricInterpretation"):
        raise UnfitImage("DICOM that does not say the size of its pixels", fix=REPLACE)
    if elements.get("PixelRepresentation") is None:
        elements.PixelRepresentation = 0
    if "TransferSyntaxUID" not in elements.file_meta:
        from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

        is_implicit, is_little = elements.original_encoding
        explicit = ExplicitVRLittleEndian if is_little else ExplicitVRBigEndian
        elements.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if is_implicit else explicit


def _check_bits(elements: Any) -> None:
    """Raise UnfitImage for pixels that lie elsewhere in the file than pydicom reads them."""
    from pydicom.encaps import parse_basic_offsets
    from pydicom.pixels.utils import get_expected_length

    high = elements.get("HighBit") or 0
    if high > elements.BitsStored - 1:
        raise UnfitImage(
            f"DICOM with {elements.BitsStored} bits of which the highest is bit {high}",
            fix="save it with HighBit as BitsStored - 1, for example with `gdcmconv --raw`",
        )
    said, syntax = int(elements.get("NumberOfFrames") or 1), elements.file_meta.TransferSyntaxUID
    if syntax.is_transfer_syntax and syntax.is_compressed:
        held = len(parse_basic_offsets(elements.PixelData))
    else:
        held = said * len(elements.PixelData) // get_expected_length(elements)
    if held > said:
        raise UnfitImage(
            f"DICOM with the pixels of {held:,} frames, which says that it has {said:,}",
            fix="correct its NumberOfFrames, Rows or Columns, or save each frame as a file",
        )


def _complete_slope(elements: Any) -> None:
    """Add the half of slope and intercept that a file leaves out: pydicom then applies neither."""
    slope, intercept = (elements.get(name) for name in ("RescaleSlope", "RescaleIntercept"))
    if slope is not None or intercept is not None:
        elements.RescaleSlope = 1 if slope is None else slope
        elements.RescaleIntercept = 0 if intercept is None else intercept
        return
    for name in {"RescaleSlope", "RescaleIntercept"} & set(elements.dir()):
        delattr(elements, name)


def _decoded(elements: Any, frame: int) -> Image.Image:
    from pydicom.pixels import apply_color_lut, pixel_array

    _check_syntax(elements)
    kind = str(elements.PhotometricInterpretation)
    stored = pixel_array(elements, index=frame)  # YBR becomes RGB
    if kind == "PALETTE COLOR":
        depth = int(elements.RedPaletteColorLookupTableDescriptor[2])
        return Image.fromarray(_scaled(apply_color_lut(stored, elements), 0, 2**depth - 1))
    if stored.ndim == 3:
        return Image.fromarray(_scaled(stored, 0, 2 ** int(elements.BitsStored) - 1))
    grey = _windowed(elements, stored)
    image = Image.fromarray(255 - grey if kind == "MONOCHROME1" else grey)
    image.info[SPREAD] = int(np.ptp(stored))
    return image


def _check_syntax(elements: Any) -> None:
    """Raise UnfitImage for a compression that no installed package reads."""
    from pydicom.pixels import get_decoder
    from pydicom.uid import JPEGExtended12Bit

    syntax = elements.file_meta.TransferSyntaxUID
    if not syntax.is_transfer_syntax or not syntax.is_compressed:
        return
    try:
        decoder = get_decoder(syntax)
    except NotImplementedError as error:
        raise UnfitImage(f"DICOM compressed as {syntax.name}", fix=UNPACK) from error
    is_twelve = syntax == JPEGExtended12Bit and elements.BitsStored > 8
    if is_twelve and "pylibjpeg" not in decoder.available_plugins:
        raise UnfitImage(
            f"DICOM compressed as {syntax.name}, with {elements.BitsStored} bits",
            fix=f"pip install pylibjpeg pylibjpeg-libjpeg (GPL), or {UNPACK}",
        )
    if not decoder.is_available:
        raise UnfitImage(
            f"DICOM compressed as {syntax.name}, for which a package is missing",
            fix=f"{INSTALL}, or {UNPACK}",
        )


def _window(elements: Any) -> str:
    """Return the kind of the window that the file asks for: a table, two numbers, or none."""
    tables = elements.get("VOILUTSequence") or [{}]
    if tables[0].get("LUTDescriptor") and tables[0].get("LUTData"):
        return "table"
    centre, width = (_first(elements.get(name)) for name in ("WindowCenter", "WindowWidth"))
    least = 1 if elements.get("VOILUTFunction", "LINEAR") == "LINEAR" else 1e-9
    return "numbers" if centre is not None and width is not None and width >= least else ""


def _first(value: Any) -> float | None:
    """Return a number, or the first of several alternative ones."""
    first = value if isinstance(value, (int, float)) else next(iter(value or ()), None)
    return None if first is None else float(first)


def _windowed(elements: Any, stored: Values) -> npt.NDArray[np.uint8]:
    """Scale grey values to 0..255 by the file's window, else by all values that its bits can hold.

    Without a window, the range is the same for every image of as many bits: an image's own darkest
    and brightest pixel would give the same tissue another grey in every image.
    """
    from pydicom.pixels import apply_modality_lut, apply_voi_lut

    values = apply_modality_lut(stored.astype(np.int64), elements)
    kind = _window(elements)
    if kind == "table":
        return _by_table(elements, values)
    if kind == "numbers":
        far = np.array([[-1e15, 1e15]])  # beyond any window: what it makes black and white
        with np.errstate(over="ignore"):
            values, far = (
                apply_voi_lut(each, elements, prefer_lut=False) for each in (values, far)
            )
        return _scaled(values, far[0, 0], far[0, 1])
    ends = _all_values(elements)
    return _scaled(values, float(ends.min()), float(ends.max()))


def _by_table(elements: Any, values: Values) -> npt.NDArray[np.uint8]:
    from pydicom.pixels import apply_voi_lut

    table = copy(elements.VOILUTSequence[0])
    entries, first, bits = table.LUTDescriptor
    # pydicom counts the entries of a table of bytes in a byte, and those of any other in two.
    table.LUTDescriptor = [entries, first, 16]
    inside = values.round().clip(first, first + (entries or 2**16) - 1).astype(np.int64)
    with_table = copy(elements)
    with_table.VOILUTSequence = [table]
    return _scaled(apply_voi_lut(inside, with_table), 0, 2**bits - 1)


def _all_values(elements: Any) -> Values:
    """Return the lowest and the highest value that the bits of a pixel can hold."""
    from pydicom.pixels import apply_modality_lut

    if tables := elements.get("ModalityLUTSequence"):
        return np.array([0, 2 ** int(tables[0].LUTDescriptor[2]) - 1])
    bits = int(elements.BitsStored)
    low = -(2 ** (bits - 1)) if elements.PixelRepresentation else 0
    return apply_modality_lut(np.array([low, low + 2**bits - 1]), elements)


def _scaled(values: Values, low: float, high: float) -> npt.NDArray[np.uint8]:
    share = (values.astype(np.float64) - low) / ((high - low) or 1.0)
    grey: npt.NDArray[np.uint8] = (255 * share.clip(0, 1)).round().astype(np.uint8)
    return grey


def _take_frame_values(elements: Any, frame: int) -> None:
    """Copy the slope and window of one frame of an enhanced file to where others have them."""
    shared = list(elements.get("SharedFunctionalGroupsSequence") or [])[:1]
    own = list(elements.get("PerFrameFunctionalGroupsSequence") or [])[frame : frame + 1]
    for groups in (*shared, *own):
        for name in ("PixelValueTransformationSequence", "FrameVOILUTSequence"):
            for item in groups.get(name) or []:
                elements.update({each.tag: each for each in item if each.keyword in ELEMENTS})
