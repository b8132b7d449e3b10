"""Which bad values go to which field of which door, and the addresses that are tried."""

from __future__ import annotations

from typing import Any, Final

from tests.journeys import bad_values as bad
from tests.journeys.doors import World

FIELDS: Final[dict[str, dict[str, bad.Values]]] = {
    "experiment": {"name": bad.NAME, "tags": bad.LIST},
    "experiment rename": {"experiment_id": bad.ID, "new_name": bad.NAME},
    "experiment search": {"filter": bad.QUERY, "max_results": bad.WHOLE, "page_token": bad.TEXT},
    "run": {"experiment_id": bad.FILLED_ID, "start_time": bad.WHOLE, "tags": bad.LIST},
    "run end": {"run_id": bad.ID, "status": bad.CHOICE, "end_time": bad.WHOLE},
    "metric": {
        "run_id": bad.ID,
        "key": bad.NAME,
        "value": bad.NUMBER,
        "timestamp": bad.WHOLE,
        "step": bad.WHOLE,
    },
    "param": {"run_id": bad.ID, "key": bad.NAME},
    # What is too long there is cut, as the protocol has it.
    "tag": {"run_id": bad.ID, "key": bad.NAME, "value": bad.NO_TEXT},
    "batch": {"run_id": bad.ID, "metrics": bad.LIST, "params": bad.LIST, "tags": bad.LIST},
    "run search": {
        "filter": bad.QUERY,
        "max_results": bad.WHOLE,
        "page_token": bad.TEXT,
        "order_by": bad.LIST,
    },
    "logged model": {
        "experiment_id": bad.FILLED_ID,
        "name": bad.FILLED_NAME,
        "source_run_id": bad.TEXT,
    },
    "model": {"name": bad.NAME, "description": bad.TEXT, "tags": bad.LIST},
    "model tag": {"name": bad.NAME, "key": bad.NAME, "value": bad.TEXT},
    "alias": {"name": bad.NAME, "alias": bad.NAME, "version": bad.ID},
    "version": {"name": bad.NAME, "source": bad.NAME, "description": bad.TEXT, "tags": bad.LIST},
    "stage": {"name": bad.NAME, "version": bad.ID, "stage": bad.CHOICE},
    "version tag": {"version": bad.ID, "key": bad.NAME, "value": bad.TEXT},
}


FORMS: Final[dict[str, dict[str, bad.Values]]] = {
    "sign in": {"username": bad.F_TEXT, "password": bad.F_TEXT},
    "new model": {
        "name": bad.F_LINE | {"a slash": "a/b", "a colon": "a:b", "taken": "fraud", "dots": ".."},
        "purpose": bad.F_FREE,
        "exposure": bad.F_CHOICE,
        "purpose_class": bad.F_CHOICE,
    },
    "new version": {"description": bad.F_FREE},
    "description": {"description": bad.F_FREE},
    "model settings": {"owner": bad.F_CHOICE, "exposure": bad.F_CHOICE, "purpose": bad.F_FREE},
    "uploaded result": {"name": bad.F_LINE, "tool": bad.F_LINE, "tool_version": bad.F_FREE},
    "data": {
        "role": bad.F_CHOICE,
        "name": bad.F_FREE,
        "target": bad.F_TEXT | {"no column": "z"},
        "score": bad.F_FREE | {"no column": "z", "words": "g"},
        "sensitive": bad.F_FREE | {"no column": "z", "twice": "g,g", "many": "a," * 50},
        "favourable": bad.F_TEXT | {"no outcome": "yes"},
        "artifact": bad.F_FREE | {"both": "model/MLmodel", "a path": "../../etc/passwd"},
    },
    "submit": {"targets": bad.F_CHOICE, "justification": bad.F_TEXT, "wanted_by": bad.F_DAY},
    "decide": {
        "outcome": bad.F_CHOICE,
        "comment": bad.F_TEXT,
        "password": bad.F_TEXT | {"another": "not hers"},
        "evidence_digest": bad.F_CHOICE | {"another": "0" * 64},
        "step": {k: v for k, v in bad.F_CHOICE.items() if k != "nothing"},
    },
    "withdraw": {"reason": bad.F_TEXT},
    "card": {
        "base_revision": bad.F_REVISION,
        "block-primary_uses": bad.F_FREE,
    },
    "token": {
        "name": bad.F_LINE,
        "scopes": bad.F_CHOICE | {"more than there are": "sign"},
        "expires_in": bad.F_CHOICE | {"-1": "-1", "for ever": "99999999999"},
    },
    "new person": {
        "username": bad.F_LINE
        | {"taken": "ANA", "another alphabet": "\N{CYRILLIC SMALL LETTER A}na", "a blank": "a b"},
        "display_name": bad.F_LINE,
        "email": bad.F_FREE | {"none": "next", "a line break": "a@b.cd\r\nBcc: x@y.zz"},
        "password": bad.F_TEXT | {"short": "abc", "common": "password1234"},
    },
    "grant": {"role": bad.F_CHOICE, "place": bad.F_CHOICE | {"of no team": "team:7"}},
    "team": {"name": bad.F_LINE, "key": bad.F_LINE | {"capitals": "Risk", "a path": "../x"}},
}


def good_now(door: str, world: World) -> dict[str, Any]:
    """What a good form holds beyond its table: the owner's number, and a block of the card."""
    more = {
        "model settings": {"owner": str(world.ana.pk)},
        "card": {"block-primary_uses": "to lend"},
    }
    return more.get(door, {})


TWICE: Final = {
    "new model": 422,
    "uploaded result": 302,  # the row that is there
    "submit": 422,
    "decide": 409,
    "withdraw": 409,
    "card": 302,  # nothing is left to save: the same words are there already
    "new person": 422,
    "grant": 302,
    "team": 422,
}


LISTS: Final = (
    "/search/?q={}",
    "/models/?q={0}&owner={0}&tier={0}&before={0}",
    "/models/fraud/?before={}",
    "/models/fraud/1/compare/?with={}",
    "/models/fraud/1/history/?before={}",
    "/models/fraud/1/card/?revision={}",
    "/reviews/?status={0}&model={0}&before={0}&mine={0}",
    "/people/?q={0}&after={0}",
    "/audit/?subject={0}&who={0}&what={0}&since={0}&before={0}",
    "/audit/checkpoints/?before={}",
    "/audit/attempts/?outcome={0}&subject={0}&before={0}",
    "/sign-in/?next={}",
    "/setup/?token={}",
)


IDS: Final = ("0", "-1", "one", "%00", "%ff", "%c2%b2", "9" * 10, str(2**63), "9" * 5_000)
PLACES: Final = (
    "/models/{}/",
    "/models/{}/1/",
    "/models/fraud/{}/",
    "/models/fraud/1/files/{}",
    "/models/fraud/1/checks/{}/",
    "/reviews/{}/",
    "/reviews/{}/decide/",
    "/audit/{}/",
    "/audit/checkpoints/{}/",
    "/audit/checkpoints/{}/to/1/",
    "/audit/checkpoints/1/to/{}/",
    "/people/{}/",
    "/people/teams/{}/",
    "/documents/{}/",
    "/documents/{}/card.pdf",
)


TOKENS: Final = ("", "x" * 100_000, "cs_\x00", "ćš_tøken", "cs_" + "a" * 40, "%00", "a b c")
