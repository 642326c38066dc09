"""Takes out of an image's task folder what Lambda never runs, and compiles the rest. Run while the image is built.

Removed:

- test suites of packages, and the console scripts in bin/ (entry points stay readable: they are metadata);
- C and Cython sources, headers and static libraries, which only a compiler reads, and boto3's examples;
- pydantic's copy of its version 1;
- of pyarrow: Flight, its own S3 client (ours is boto3), and its C++ tests. Everything else is linked to one another.

Kept: licences and other metadata, type stubs, and every service model of botocore.

Bytecode is made once, here: the task folder is read-only on Lambda, where a missing .pyc would be compiled again at
every cold start. It is "unchecked", so that an import does not look at the source to compare: an image's sources cannot
change, and their times may.
"""

from __future__ import annotations

import compileall
import py_compile
import shutil
import sys
from pathlib import Path

#: Relative to the task folder.
UNUSED = (
    "bin",
    "include",
    "**/tests",
    "**/*.a",
    "**/*.c",
    "**/*.cpp",
    "**/*.h",
    "**/*.hpp",
    "**/*.pxd",
    "**/*.pxi",
    "**/*.pyx",
    "boto3/examples",
    # FastAPI asks of every annotation whether it is a model of pydantic 1, and loads all of that for it if it is there:
    # 34 ms of every cold start. Where it is not, FastAPI says no.
    "pydantic/v1",
    "pyarrow/include",
    "pyarrow/src",
    "pyarrow/_flight*.so",
    "pyarrow/libarrow_flight*",
    "pyarrow/libarrow_python_flight*",
    "pyarrow/_s3fs*.so",
    "pyarrow/libarrow_s3*",
    "pyarrow/_pyarrow_cpp_tests*",
    # Copies under the names that a linker looks for; what is loaded is libarrow_python….so.N.
    "pyarrow/libarrow_python*.so",
    "pyarrow/libarrow_python*.so.*.*",
)


def trim(folder: Path) -> None:
    """Remove what `UNUSED` matches."""
    for pattern in UNUSED:
        for path in sorted(folder.glob(pattern)):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


def make_readable(folder: Path) -> None:
    """Let everybody read, and nobody but the owner write, whatever the checkout's own permissions were."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            is_executable = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(0o755 if is_executable else 0o644)


def compiled(folder: Path) -> bool:
    """Compile every module; whether all of them could be."""
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    return bool(compileall.compile_dir(folder, quiet=1, workers=0, invalidation_mode=mode))


def main() -> int:
    """Trim the folder that the command line names."""
    folder = Path(sys.argv[1])
    trim(folder)
    is_complete = compiled(folder)
    make_readable(folder)
    return 0 if is_complete else 1


if __name__ == "__main__":
    sys.exit(main())
