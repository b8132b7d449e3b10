"""A real OpenID provider, Canaille, in a process of its own. Run by the Python of .venv-idp, not imported by the tests.

Reads one JSON object a line: first the set-up ({"port", "client_id", "client_secret", "redirect_uris"}), then commands;
answers each with one line. Ends when its standard input does, so it cannot outlive the tests.

Commands: {"do": "person", "user_name", "password", "name", "email", "groups"} makes or changes somebody (and answers
with her `sub`); {"do": "client", ...fields} changes the client; {"do": "remove", "user_name"}.
"""

from __future__ import annotations

import json
import sys
import threading
from typing import Any

from canaille import create_app  # type: ignore[import-not-found]  # lives in .venv-idp
from canaille.app import models  # type: ignore[import-not-found]
from canaille.backends import Backend  # type: ignore[import-not-found]
from joserfc.jwk import RSAKey  # type: ignore[import-not-found]
from werkzeug.serving import make_server  # type: ignore[import-not-found]


def main() -> None:
    setup = json.loads(sys.stdin.readline())
    app = create_app(configuration(setup["port"]))
    with app.app_context():
        add_client(setup)
    server = make_server("localhost", setup["port"], app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    say({"issuer": f"http://localhost:{setup['port']}"})
    for line in sys.stdin:
        with app.app_context():
            say(COMMANDS[(command := json.loads(line)).pop("do")](command))


def configuration(port: int) -> dict[str, Any]:
    """The memory backend is the default. `sub` is opaque, as it should be: no name, no address."""
    key = RSAKey.generate_key(2048, auto_kid=True)
    return {
        "SECRET_KEY": "of the tests",
        "SERVER_NAME": f"localhost:{port}",
        "PREFERRED_URL_SCHEME": "http",
        "SESSION_COOKIE_NAME": "idp_session",
        "SESSION_COOKIE_SECURE": False,
        "CANAILLE": {"LOGGING": {"version": 1, "disable_existing_loggers": True}},
        "CANAILLE_OIDC": {
            "ACTIVE_JWKS": [key.as_dict(private=True)],
            "TRUSTED_DOMAINS": ["localhost", ".localhost"],
            "USERINFO_MAPPING": {
                "SUB": "{{ user.id }}",
                "PREFERRED_USERNAME": "{{ user.user_name }}",
            },
        },
    }


def add_client(setup: dict[str, Any]) -> None:
    client = models.Client(
        client_id=setup["client_id"],
        client_secret=setup["client_secret"],
        client_name="Countersign",
        client_uri=setup["client_uri"],
        redirect_uris=setup["redirect_uris"],
        grant_types=["authorization_code"],
        response_types=["code"],
        scope=["openid", "profile", "email", "groups"],
        token_endpoint_auth_method="client_secret_post",
        id_token_signed_response_alg="RS256",
    )
    Backend.instance.save(client)
    client.audience = [client]
    Backend.instance.save(client)


def put_person(told: dict[str, Any]) -> dict[str, Any]:
    forget_codes()
    user = Backend.instance.get(models.User, user_name=told["user_name"])
    if user is None:
        user = models.User(user_name=told["user_name"], family_name=told["name"].split()[-1])
    user.formatted_name = told["name"]
    user.emails = [told["email"]]
    user.groups = [group(name) for name in told["groups"]]
    Backend.instance.save(user)
    Backend.instance.set_user_password(user, told["password"])
    return {"sub": user.id}


def forget_codes() -> None:
    """Codes nobody redeemed: with one of those about, this provider's memory backend confuses it with later ones and
    refuses honest sign-ins ("Code challenge failed")."""
    for code in list(Backend.instance.query(models.AuthorizationCode)):
        Backend.instance.delete(code)


def group(name: str) -> Any:
    found = Backend.instance.get(models.Group, display_name=name)
    if found is None:
        found = models.Group(display_name=name)
        Backend.instance.save(found)
    return found


def change_client(told: dict[str, Any]) -> dict[str, Any]:
    (client,) = Backend.instance.query(models.Client)
    for field, value in told.items():
        setattr(client, field, value)
    Backend.instance.save(client)
    return {}


def remove(told: dict[str, Any]) -> dict[str, Any]:
    Backend.instance.delete(Backend.instance.get(models.User, user_name=told["user_name"]))
    return {}


def say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


COMMANDS = {"person": put_person, "client": change_client, "remove": remove}

if __name__ == "__main__":
    main()
