"""Makes a folder of real photographs without network: ``python -m tests.support.photos DESTINATION``.

The pictures are those that scikit-image and scikit-learn carry inside their packages, cropped, mirrored and rescaled;
enlarged ones get the grain of a sensor, so that they compress as camera pictures do. ``--broken`` adds a class ``odd``
(palette, CMYK, 16 bits, ...) and a class ``broken`` (cut, empty, hostile).
"""

from __future__ import annotations

import argparse
import importlib.util
import io
import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

Photo = NDArray[np.uint8]
INSTALL = "Install the photographs first, in any venv: pip install scikit-image scikit-learn pillow"

# Class: files, in the packages' own folders.
SUBJECTS = {
    "animals": ("chelsea.png",),
    "people": ("astronaut.png", "camera.png"),
    "places": ("china.jpg", "rocket.jpg"),
    "science": ("retina.jpg", "ihc.png", "cell.png"),
    "space": ("hubble_deep_field.jpg", "moon.png"),
    "textures": ("brick.png", "grass.png", "gravel.png"),
    "things": ("coffee.png", "coins.png", "flower.jpg", "motorcycle_left.png"),
}
FOLDERS = {"skimage": "data", "sklearn": "datasets/images"}


def find_photographs() -> dict[str, list[Path]]:
    """Return the files of every subject that are installed."""
    roots = []
    for package, folder in FOLDERS.items():
        spec = importlib.util.find_spec(package)
        if spec is not None and spec.origin is not None:
            roots.append(Path(spec.origin).parent / folder)
    files = {
        subject: [root / name for name in names for root in roots if (root / name).exists()]
        for subject, names in SUBJECTS.items()
    }
    return {subject: paths for subject, paths in files.items() if paths}


def photograph(path: Path, megapixels: float, chance: np.random.Generator) -> Photo:
    """Return a photograph of about so many megapixels, in one of the usual proportions."""
    with Image.open(path) as file:
        source = np.asarray(file.convert("L" if file.mode in {"L", "I;16"} else "RGB"))
    wide, high = [(3, 2), (4, 3), (1, 1), (2, 3), (16, 9)][int(chance.integers(5))]
    unit = (megapixels * 1e6 / (wide * high)) ** 0.5
    width, height = round(wide * unit), round(high * unit)
    # Enlarge no more than three times: what is still missing is mirrored at the edges.
    scale = min(3.0, max(0.3, width / source.shape[1], height / source.shape[0]))
    cut_width, cut_height = max(1, round(width / scale)), max(1, round(height / scale))
    missing = [(0, max(0, cut_height - source.shape[0])), (0, max(0, cut_width - source.shape[1]))]
    source = np.pad(source, missing + [(0, 0)] * (source.ndim - 2), "symmetric")
    top = int(chance.integers(source.shape[0] - cut_height + 1))
    left = int(chance.integers(source.shape[1] - cut_width + 1))
    cut = Image.fromarray(np.ascontiguousarray(source[top : top + cut_height, left : left + cut_width]))
    pixels = np.asarray(cut.resize((width, height), Image.Resampling.LANCZOS))
    if scale > 1:
        grain = chance.normal(0, 2.0, pixels.shape[:2]).astype(np.float32)
        grained = pixels + (grain if pixels.ndim == 2 else grain[..., None])
        pixels = np.clip(grained, 0, 255).astype(np.uint8)
    return pixels


def camera_data(number: int) -> Image.Exif:
    """Return what a camera writes beside the pixels; every fourth picture was taken upright."""
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Imgstore", "Test 1"
    exif[0x0112] = 6 if number % 4 == 3 else 1
    exif[0x0132] = f"2024:05:{1 + number % 28:02} 12:00:00"
    exif[0x8825] = {1: "N", 2: (48.0, 12.0, 30.0), 3: "E", 4: (16.0, 22.0, 0.0)}
    return exif


def save_photographs(destination: Path, subjects: dict[str, list[Path]], count: int) -> None:
    """Save photographs of all sizes and formats, in a folder for each subject."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    chance = np.random.default_rng(2026)
    names = sorted(subjects)
    for number in range(count):
        subject = names[number % len(names)]
        sources = subjects[subject]
        # Many small, few large, the last one 20 megapixels.
        megapixels = 0.1 * 200 ** ((number + 1) / count) ** 2
        pixels = photograph(sources[number // len(names) % len(sources)], megapixels, chance)
        folder = destination / subject
        folder.mkdir(parents=True, exist_ok=True)
        picture, stem = Image.fromarray(pixels), f"IMG_{number:04}"
        exif = camera_data(number)
        kind = number % 10 if megapixels < 4 else 0  # large ones are what cameras write
        if kind < 5:
            quality = (85, 92, 95)[number % 3]
            picture.save(
                folder / f"{stem}.{'JPG' if kind % 2 else 'jpg'}",
                quality=quality,
                exif=exif,
                icc_profile=profile if number % 2 else None,
            )
        elif kind < 7:
            picture.save(folder / f"{stem}.png", exif=exif, icc_profile=profile)
        elif kind == 7:
            picture.save(folder / f"{stem} übersicht.webp", quality=85, lossless=bool(number % 20 == 7), exif=exif)
        elif kind == 8:
            compression = ("raw", "tiff_lzw", "tiff_adobe_deflate")[number % 3]
            picture.save(folder / f"{stem}.tif", compression=compression, icc_profile=profile)
        else:
            picture.save(folder / f"{stem}.bmp")


def png(width: int, height: int, depth: int, colour: int, data: bytes) -> bytes:
    """Return a PNG file by hand, for what Pillow would not write."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    """Return a picture as the bytes of a file."""
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def odd_files(picture: Image.Image) -> dict[str, bytes]:
    """Return pictures that are whole but not what a camera writes."""
    grey = np.asarray(picture.convert("L"))
    deep = grey.astype(np.uint16) * 257
    colour_rows = b"".join(b"\0" + np.asarray(picture).astype(">u2")[row].tobytes() for row in range(picture.height))
    cut_out = picture.copy()
    cut_out.putalpha(Image.fromarray(grey))
    return {
        "alpha.png": encoded(cut_out, "PNG"),
        "alpha.webp": encoded(cut_out, "WEBP", lossless=True, exact=True),
        "animated.webp": encoded(picture, "WEBP", save_all=True, append_images=[picture.rotate(180)]),
        "cmyk.jpg": encoded(picture.convert("CMYK"), "JPEG"),
        "floats.tif": encoded(Image.fromarray(grey.astype(np.float32) / 255), "TIFF"),
        "grey.jpg": encoded(picture.convert("L"), "JPEG"),
        "grey alpha.png": encoded(cut_out.convert("LA"), "PNG"),
        "one bit.png": encoded(picture.convert("1"), "PNG"),
        "palette.png": encoded(picture.convert("P", palette=Image.Palette.ADAPTIVE), "PNG"),
        "progressive.jpg": encoded(picture, "JPEG", progressive=True, quality=90),
        "sixteen bits colour.png": png(picture.width, picture.height, 16, 2, zlib.compress(colour_rows)),
        "sixteen bits grey.png": encoded(Image.fromarray(deep), "PNG"),
        "sixteen bits grey.tif": encoded(Image.fromarray(deep), "TIFF"),
        "two pages.tif": encoded(picture, "TIFF", save_all=True, append_images=[picture.rotate(90)]),
        "upside down.jpg": encoded(picture, "JPEG", exif=camera_data(3)),
        "wrong suffix.png": encoded(picture, "JPEG"),
        "one pixel.png": encoded(picture.crop((0, 0, 1, 1)), "PNG"),
    }


def broken_files(picture: Image.Image) -> dict[str, bytes]:
    """Return files that are no pictures, no more, or no picture that anybody should decode."""
    jpeg, whole, tiff = (
        encoded(picture, "JPEG"),
        encoded(picture, "PNG"),
        encoded(picture, "TIFF", compression="tiff_lzw"),
    )
    flipped = bytearray(whole)
    flipped[len(flipped) // 2] ^= 0xFF
    zeros = zlib.compressobj(1)
    bomb = b"".join(zeros.compress(bytes(1 + 12_000 * 3)) for _ in range(12_000)) + zeros.flush()
    return {
        "bomb header.png": png(60_000, 60_000, 8, 2, b""),
        "bomb whole.png": png(12_000, 12_000, 8, 2, bomb),
        "cut header.png": whole[:20],
        "cut.bmp": encoded(picture, "BMP")[:-5_000],
        "cut.jpg": jpeg[: len(jpeg) // 2],
        "cut.png": whole[: len(whole) // 2],
        "cut.tif": tiff[: len(tiff) // 2],
        "cut.webp": encoded(picture, "WEBP")[:-500],
        "empty.jpg": b"",
        "flipped byte.png": bytes(flipped),
        "gif.jpg": encoded(picture, "GIF"),
        "text.jpg": b"This is no picture.\n",
        "web page.png": b"<!doctype html><script>alert(1)</script>",
        "zero size.png": png(0, 0, 8, 2, b""),
    }


def save_files(folder: Path, make: Callable[[Image.Image], dict[str, bytes]], picture: Image.Image) -> None:
    """Write what ``make`` makes of the picture."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in make(picture).items():
        (folder / name).write_bytes(data)


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.photos", description=__doc__)
    parser.add_argument("destination", type=Path, help="folder to make")
    parser.add_argument("--count", type=int, default=60, help="how many photographs (default 60)")
    parser.add_argument("--broken", action="store_true", help="add odd and broken files")
    arguments = parser.parse_args()
    subjects = find_photographs()
    if not subjects:
        print(f"No photographs found. {INSTALL}", file=sys.stderr)
        return 3
    if arguments.destination.exists():
        print(f"{arguments.destination} is there already. Name a folder that is not.", file=sys.stderr)
        return 2
    save_photographs(arguments.destination, subjects, arguments.count)
    if arguments.broken:
        with Image.open(next(iter(subjects.values()))[0]) as file:
            picture = file.convert("RGB").resize((300, 200))
        save_files(arguments.destination / "odd", odd_files, picture)
        save_files(arguments.destination / "broken", broken_files, picture)
    files = [path for path in arguments.destination.rglob("*") if path.is_file()]
    total = sum(path.stat().st_size for path in files)
    print(f"{len(files)} files, {total / 1e6:.0f} MB, in {arguments.destination}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
