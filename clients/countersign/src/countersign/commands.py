"""What each command asks, prints and exits with."""

from __future__ import annotations

import argparse
import json
import sys
import urllib.parse
from typing import Any

from countersign.digests import digest_of_folder
from countersign.http import Answer, Site, Unexpected

ALLOW, DENY, USAGE, UNEXPECTED = 0, 1, 2, 3


def gate_check(site: Site, asked: argparse.Namespace) -> int:
    """Ask the gate. 0 only for a whole, matching `allow`; a denial is 1; anything else is 3."""
    question = _question(asked)
    answer = site.post("gate/check", question)
    told = answer.value
    _print(told, asked.json, _gate_lines)
    if answer.status == 400 and told.get("decision") == "deny":
        return USAGE
    if answer.status != 200 or told.get("decision") not in {"allow", "deny"}:
        return _refused(answer)
    if told["decision"] == "deny":
        return DENY
    _require_match(question, told)
    return ALLOW


def _question(asked: argparse.Namespace) -> dict[str, Any]:
    question: dict[str, Any] = {
        "model": asked.model,
        "target": asked.target,
        "for": "promotion" if asked.promotion else "deployment",
    }
    if asked.alias is not None:
        question["alias"] = asked.alias
    else:
        question["version"] = asked.version
    if asked.digest_of is not None:
        question["digest"] = digest_of_folder(asked.digest_of)
    elif asked.digest is not None:
        question["digest"] = asked.digest
    return question


def _require_match(question: dict[str, Any], told: dict[str, Any]) -> None:
    """An allowance counts only if it is about what was asked: a cache in between may answer with another."""
    wanted = {"model": question["model"], "target": question["target"].lower()}
    if "version" in question:
        wanted["version"] = question["version"]
    if "digest" in question:
        wanted["digest"] = "sha256:" + question["digest"].split(":")[-1]
    if not isinstance(told.get("version"), int) or told.get("reasons") != []:
        raise Unexpected("The answer allows and does not say what, or says why not.")
    for name, value in wanted.items():
        if told.get(name) != value:
            raise Unexpected(f"The answer is about {name} {told.get(name)!r}, asked was {value!r}.")


def reviews_list(site: Site, asked: argparse.Namespace) -> int:
    """The reviews one may see, newest first."""
    query = {
        name: value
        for name, value in (
            ("status", asked.status),
            ("model", asked.model),
            ("needs_me", "true" if asked.needs_me else None),
            ("cursor", asked.cursor),
            ("limit", asked.limit),
        )
        if value is not None
    }
    return _shown(
        site.get("reviews", {k: str(v) for k, v in query.items()}), asked.json, _list_lines
    )


def reviews_show(site: Site, asked: argparse.Namespace) -> int:
    """One review."""
    return _shown(site.get(f"reviews/{asked.review}"), asked.json, _review_lines)


def reviews_submit(site: Site, asked: argparse.Namespace) -> int:
    """Ask for a review of a version."""
    wanted = {
        "model": asked.model,
        "version": asked.version,
        "targets": asked.target,
        "justification": asked.justification,
    }
    if asked.wanted_by is not None:
        wanted["wanted_by"] = asked.wanted_by
    return _shown(site.post("reviews", wanted), asked.json, _review_lines)


def who_may(site: Site, asked: argparse.Namespace) -> int:
    """Who may do a thing to a model; 0 if the holder of the token may, else 1."""
    query = {"verb": asked.verb, "model": asked.model}
    if asked.version is not None:
        query["version"] = str(asked.version)
    answer = site.get("who-may", query)
    code = _shown(answer, asked.json, _who_lines)
    return code if code else (ALLOW if answer.value.get("you_may") is True else DENY)


def _shown(answer: Answer, as_json: bool, lines: Any) -> int:
    """Print an answer; 0 for one that is as it should be, else what the refusal means."""
    if answer.status in {200, 201}:
        _print(answer.value, as_json, lines)
        return ALLOW
    _print(answer.value, as_json, lambda _: [])
    return _refused(answer)


def _refused(answer: Answer) -> int:
    """Say the site's refusal. 1: it judged and refused (rights, approval, state); 2: it could not read the request;
    3: it did not take the credential, or something is wrong."""
    said = str(answer.value.get("detail") or answer.value.get("title") or "no reason given")
    print(f"countersign: {answer.status}: {said}", file=sys.stderr)
    for name, wrong in dict(answer.value.get("fields") or {}).items():
        print(f"  {name}: {wrong}", file=sys.stderr)
    if answer.status in {403, 404, 409} and "decision" not in answer.value:
        return DENY
    return USAGE if answer.status == 400 else UNEXPECTED


def _print(value: dict[str, Any], as_json: bool, lines: Any) -> None:
    if as_json:
        print(json.dumps(value, indent=2, ensure_ascii=False))
        return
    try:
        for line in lines(value):
            print(line)
    except (KeyError, TypeError, AttributeError) as error:
        raise Unexpected(f"The answer lacks {error}.") from error


def _gate_lines(told: dict[str, Any]) -> list[str]:
    if told.get("decision") not in {"allow", "deny"} or "tree" not in told:
        return []
    version = "" if told["version"] is None else f" v{told['version']}"
    head = f"{told['decision']}: {told['model']}{version} for {told['target']}"
    because = str(told.get("because") or "")  # a site of before this was said does not send it
    return [head, *([because] if because else []), *_branches(told["tree"], 1)]


def _branches(nodes: list[dict[str, Any]], depth: int) -> list[str]:
    lines = []
    for node in nodes:
        lines.append(f"{'  ' * depth}[{node['state']}] {node['title']}: {node['fact']}")
        lines += _branches(node.get("children", []), depth + 1)
    return lines


def _list_lines(told: dict[str, Any]) -> list[str]:
    lines = [
        f"{row['key']}  {row['status']:<18} {row['signed']}/{row['needed']} signed  "
        f"{row['model']} v{row['version']} -> {', '.join(row['targets'])}"
        for row in told["items"]
    ]
    more = told["next_cursor"]
    return [*lines, f"more: --cursor {more}"] if more else lines


def _review_lines(told: dict[str, Any]) -> list[str]:
    lines = [
        f"{told['key']}: may {told['model']} v{told['version']} enter {', '.join(told['targets'])}?",
        f"  {told['status']}, {told['signed']} of {told['needed']} signed, {told['url']}",
    ]
    lines += [
        f"  round {row['number']} {row['digest'][:12]} "
        + ("live" if row["live"] else f"void: {row['void_reason']}")
        for row in told["rounds"]
    ]
    lines += [
        f"  {row['signed_at']} {row['printed_name']}: {row['meaning']} as {row['role']}"
        + (" (void)" if row["void"] else "")
        for row in told["decisions"]
    ]
    waiting = [step for step in told["steps"] if not step["complete"]]
    lines += [
        f"  asked as {step['role']}: {', '.join(p['name'] for p in step['asked']) or 'nobody can'}"
        for step in waiting
    ]
    return lines


def _who_lines(told: dict[str, Any]) -> list[str]:
    lines = [f"{told['verb']}: {told['means']}"]
    lines += [f"  {person['name']}" for person in told["people"]]
    lines += [f"  not {each['name']}: {', '.join(each['because'])}" for each in told["barred"]]
    return [*lines, told["explanation"]]


def review_number(text: str) -> str:
    """`7` or `REV-7`."""
    number = text[4:] if text.upper().startswith("REV-") else text
    if not (number.isascii() and number.isdigit()):
        raise argparse.ArgumentTypeError(f"not a review: {text!r}")
    return urllib.parse.quote(number)
