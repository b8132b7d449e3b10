"""`make lock`: pin requirements/*.in with hashes, for every platform, in files that name no index.

dev takes the site's pins as constraints, spark those of both: they are compiled last. The resolver lives in a throw-away environment.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAMES = ("site", "client", "idp", "signing", "dev", "spark")
OPTIONS = (
    "--quiet", "--universal", "--python-version", "3.11", "--generate-hashes", "--no-emit-index-url",
    "--no-header",
)  # fmt: skip


def main() -> int:
    """Compile each file; ends with the resolver's code on the first that cannot be resolved."""
    with tempfile.TemporaryDirectory() as folder:
        python = Path(folder) / "bin" / "python"
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run(
            [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "uv"],
            check=True,
        )
        for name in NAMES:
            sys.stdout.write(f"requirements/{name}.txt\n")
            done = subprocess.run(
                [str(python), "-m", "uv", "pip", "compile", *OPTIONS, f"{name}.in", "-o", f"{name}.txt"],
                cwd=ROOT / "requirements",
                check=False,
            )  # fmt: skip
            if done.returncode:
                return done.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
