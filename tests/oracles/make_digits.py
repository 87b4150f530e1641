"""Write nn/datasets/digits.npz from the copy that scikit-learn ships; done once, kept as a record.

    python tests/oracles/make_digits.py          (needs NumPy and scikit-learn)

Two arrays of uint8: images (1797, 64) with values 0 to 16, row by row from the top left, and
labels (1797,). Prints the SHA-256 that digits.py checks. Dates inside the file are fixed, so the
same zlib writes the same bytes.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

TARGET = Path(__file__).parents[2] / "nn" / "datasets" / "digits.npz"


def main() -> None:
    """Write TARGET and print its size and the checksum of its content."""
    digits = load_digits()
    arrays = {"images": digits.data.astype(np.uint8), "labels": digits.target.astype(np.uint8)}
    if not np.array_equal(arrays["images"], digits.data):
        raise SystemExit("the pixels are not whole numbers from 0 to 255")
    with zipfile.ZipFile(TARGET, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            member = zipfile.ZipInfo(f"{name}.npy", date_time=(1998, 7, 1, 0, 0, 0))
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = 0o644 << 16
            archive.writestr(member, npy_bytes(array), compresslevel=9)
    content = b"".join(array.tobytes() for array in arrays.values())
    print(f"{TARGET.name}: {TARGET.stat().st_size:,} bytes, {hashlib.sha256(content).hexdigest()}")


def npy_bytes(array: np.ndarray) -> bytes:
    """The array as the content of a .npy file."""
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


if __name__ == "__main__":
    main()
