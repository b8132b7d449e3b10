"""The command line: `countersign gate check`, `reviews list|show|submit`, `who-may`, `verify`.

Exit codes: 0 allowed, done or proven, 1 denied, refused or wrong, 2 wrong usage, 3 unreachable, an unexpected answer, or a document with which
nothing is wrong but not everything was proven. A pipeline that goes on only after 0 therefore stops whenever the site cannot be asked.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from countersign import __version__, commands, verify
from countersign.digests import Unreadable
from countersign.http import Site, Unexpected, Usage


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code."""
    asked = _parser().parse_args(arguments)
    try:
        if asked.run is verify.run:  # needs no site
            verified: int = verify.run(asked)
            return verified
        site = Site(
            asked.url or os.environ.get("COUNTERSIGN_URL", ""),
            os.environ.get("COUNTERSIGN_TOKEN", "").strip(),
            asked.timeout,
            asked.allow_http,
        )
        code: int = asked.run(site, asked)
    except (Usage, Unreadable) as error:
        print(f"countersign: {error}", file=sys.stderr)
        return commands.USAGE
    except Unexpected as error:
        print(f"countersign: {error}", file=sys.stderr)
        return commands.UNEXPECTED
    except KeyboardInterrupt:
        return commands.UNEXPECTED
    except Exception as error:  # noqa: BLE001 - fails closed: no accident may look like an answer
        print(f"countersign: unexpected {type(error).__name__}: {error}", file=sys.stderr)
        return commands.UNEXPECTED
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="countersign",
        description="Ask a Countersign site. The token is read from COUNTERSIGN_TOKEN.",
        epilog="Exit codes: 0 allowed, done or proven, 1 denied, refused or wrong, 2 usage, 3 unreachable, unexpected or not proven.",
    )
    parser.add_argument("--version", action="version", version=f"countersign {__version__}")
    subjects = parser.add_subparsers(required=True, metavar="COMMAND")
    _gate(subjects)
    _reviews(subjects)
    _who_may(subjects)
    _verify(subjects)
    return parser


def _common(parser: argparse.ArgumentParser, run: object) -> None:
    parser.add_argument("--url", help="the site; else COUNTERSIGN_URL")
    parser.add_argument("--json", action="store_true", help="print the site's answer as it is")
    parser.add_argument("--timeout", type=_seconds, default=10.0, help="seconds (10)")
    parser.add_argument("--allow-http", action="store_true", help="send the token unencrypted")
    parser.set_defaults(run=run)


def _gate(subjects: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    acts = subjects.add_parser("gate", help="ask the gate").add_subparsers(
        required=True, metavar="ACT"
    )
    check = acts.add_parser("check", help="may this version run (or be promoted) there now?")
    check.add_argument("--model", required=True)
    which = check.add_mutually_exclusive_group(required=True)
    which.add_argument("--alias", help="such as champion")
    which.add_argument("--version", type=_whole, help="a number")
    check.add_argument("--target", required=True, help="stage:production or alias:champion")
    files = check.add_mutually_exclusive_group()
    files.add_argument("--digest", help="sha256:... of the version's manifest")
    files.add_argument(
        "--digest-of", metavar="FOLDER", help="compute it from the files about to be deployed"
    )
    check.add_argument(
        "--promotion", action="store_true", help="ask whether a promotion would be done now"
    )
    _common(check, commands.gate_check)


def _reviews(subjects: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    acts = subjects.add_parser("reviews", help="read and submit reviews").add_subparsers(
        required=True, metavar="ACT"
    )
    many = acts.add_parser("list", help="the reviews you may see, newest first")
    many.add_argument("--status")
    many.add_argument("--model")
    many.add_argument("--needs-me", action="store_true", help="only what you can act on now")
    many.add_argument("--limit", type=_whole)
    many.add_argument("--cursor", help="where the page before ended")
    _common(many, commands.reviews_list)
    one = acts.add_parser("show", help="one review")
    one.add_argument("review", type=commands.review_number, help="7 or REV-7")
    _common(one, commands.reviews_show)
    submit = acts.add_parser("submit", help="ask for a review of a version")
    submit.add_argument("--model", required=True)
    submit.add_argument("--version", type=_whole, required=True)
    submit.add_argument("--target", action="append", required=True, help="may be given repeatedly")
    submit.add_argument("--justification", required=True)
    submit.add_argument("--wanted-by", help="the day by which it should be there: 2027-01-31")
    _common(submit, commands.reviews_submit)


def _who_may(subjects: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    asked = subjects.add_parser("who-may", help="who may do a thing; exits 0 if you may")
    asked.add_argument("--verb", required=True, help="such as review.sign.approver")
    asked.add_argument("--model", required=True)
    asked.add_argument("--version", type=_whole)
    _common(asked, commands.who_may)


def _verify(subjects: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    asked = subjects.add_parser(
        "verify", help="is this PDF what a site issued? Offline unless --url is given"
    )
    asked.add_argument("file", type=verify.existing, metavar="card.pdf")
    asked.add_argument(
        "--certificate", type=verify.existing, metavar="FILE", help="the site's certificate (PEM)"
    )
    asked.add_argument(
        "--ledger",
        type=verify.existing,
        metavar="FILE",
        help="an export of the ledger (JSON lines)",
    )
    asked.add_argument(
        "--bundle",
        type=verify.existing,
        metavar="FILE",
        help="a bundle with the ledger's events about it",
    )
    asked.add_argument(
        "--key",
        type=verify.key,
        action="append",
        default=[],
        help="the site's ledger key, from elsewhere than the bundle: its id, or NAME+HASH+BASE64",
    )
    asked.add_argument(
        "--tsa-cert",
        type=verify.existing,
        metavar="FILE",
        help="the certificate of the time stamp authority (PEM)",
    )
    asked.add_argument(
        "--digest", type=verify.digest, help="the file's SHA-256, known from elsewhere"
    )
    asked.add_argument("--brief", action="store_true", help="leave out the list of numbers")
    _common(asked, verify.run)


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < len(text) < 10 and int(text)):
        raise argparse.ArgumentTypeError(f"not a number above 0: {text!r}")
    return int(text)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0
    if not 0 < value <= 3600:
        raise argparse.ArgumentTypeError(f"not a time in seconds: {text!r}")
    return value
