"""Every role, every verb, every place; and the limits no role lifts."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts import policy, services
from apps.accounts.models import Role, RoleVerb, Team, User
from apps.accounts.verbs import OBJECT_ROLES, ROLES, SCOPES_OF_VERB, VERBS, is_signing
from apps.core.actor import Actor
from apps.core.errors import Forbidden
from apps.experiments.models import Experiment
from apps.registry.models import RegisteredModel
from tests.support.people import SYSTEM, as_actor, hire, token_for
from tests.support.roots import experiment_of, model_of

READ = {"experiment.read", "model.read", "review.read"}
CONTRIBUTE = READ | {
    "experiment.create",
    "experiment.write",
    "model.create",
    "model.register",
    "model.edit",
    "check.run",
    "card.edit",
    "review.submit",
    "review.withdraw",
    "review.comment",
    "deployment.record",
    "impact.edit",
}
JUDGE = {
    "finding.raise",
    "finding.close",
    "review.comment",
    "policy.sign",
    "check.recheck",
    "impact.edit",
}
TEMPLATES = {"card.template", "card.define"}
# The table of the contract, spelled out once more: the seeds are compared with it, not with themselves.
HELD = {
    "viewer": READ,
    "contributor": CONTRIBUTE,
    "owner": CONTRIBUTE
    | {"experiment.manage", "model.manage", "model.delete", "model.retire", "target.leave"},
    "validator": READ | JUDGE | {"review.sign.validator", "check.run", "check.recall", *TEMPLATES},
    "approver": READ | JUDGE | {"review.sign.approver", "impact.sign"},
    "risk": READ | JUDGE | {"review.sign.risk", "impact.sign", *TEMPLATES},
    "legal": READ | JUDGE | {"review.sign.legal", "impact.sign", "card.template"},
    "product": READ | JUDGE | {"review.sign.product"},
    "on_call": READ | {"review.comment", "target.leave", "target.rollback", "deployment.record"},
    "auditor": READ | {"audit.read", "audit.export", "check.recheck", "finding.raise"},
    "administrator": READ
    | {
        "people.manage",
        "system.read",
        "system.manage",
        "audit.read",
        "model.sandbox",
        "policy.edit",
        "environment.manage",
    },
}


@pytest.fixture
def team(db: None) -> Team:
    return services.create_team(SYSTEM, key="credit", name="Credit risk")


@pytest.fixture
def experiment(team: Team, omar: User) -> Experiment:
    return experiment_of(omar, team=team)


@pytest.fixture
def model(team: Team, omar: User) -> RegisteredModel:
    return model_of(omar, team=team)


def test_the_seeded_roles_hold_exactly_the_agreed_verbs(db: None) -> None:
    held: dict[str, set[str]] = {role: set() for role in ROLES}
    for row in RoleVerb.objects.all():
        held[row.role_id].add(row.verb)
    assert held == HELD
    assert set(Role.objects.values_list("key", flat=True)) == set(ROLES)
    assert set().union(*held.values()) <= set(VERBS)


@pytest.mark.parametrize("role", ROLES)
def test_a_site_role_holds_its_verbs_everywhere_without_sql(
    role: str, experiment: Experiment, model: RegisteredModel
) -> None:
    actor = as_actor(hire("nell", "Nell", role))
    with CaptureQueriesContext(connection) as queries:
        for verb in HELD[role]:
            assert policy.can(actor, verb)
            assert policy.can(actor, verb, experiment)
            assert policy.can(actor, verb, model)
    assert not queries.captured_queries
    for verb in set(VERBS) - HELD[role]:
        assert not policy.can(actor, verb), verb
        assert not policy.can(actor, verb, experiment), verb
        assert not policy.can(actor, verb, model), verb


@pytest.mark.parametrize("place", ["team", "experiment", "model"])
@pytest.mark.parametrize("role", OBJECT_ROLES)
def test_an_object_role_holds_its_verbs_there_and_nowhere_else(
    role: str, place: str, team: Team, experiment: Experiment, model: RegisteredModel, otto: User
) -> None:
    places: dict[str, policy.Rooted] = {"team": team, "experiment": experiment, "model": model}
    on = places[place]
    elsewhere: list[policy.Rooted] = [experiment_of(hire("zoe", "Zoe", "owner"), name="elsewhere")]
    if place != "team":
        elsewhere.append(team)
    actor = as_actor(otto)
    assert not any(policy.can(actor, verb, on) for verb in VERBS)
    services.grant_role(SYSTEM, role, otto, on=on)
    for verb in VERBS:
        assert policy.can(actor, verb, on) == (verb in HELD[role]), verb
        assert not policy.can(actor, verb), verb
        assert not any(policy.can(actor, verb, other) for other in elsewhere), verb


def test_a_team_role_holds_on_the_teams_experiments_and_models(
    team: Team, experiment: Experiment, model: RegisteredModel, otto: User
) -> None:
    services.grant_role(SYSTEM, "contributor", otto, on=team)
    actor = as_actor(otto)
    assert policy.can(actor, "experiment.write", experiment)
    assert policy.can(actor, "model.register", model)
    assert not policy.can(actor, "model.manage", model)


def test_an_object_question_costs_one_query(
    team: Team, experiment: Experiment, model: RegisteredModel, otto: User
) -> None:
    services.grant_role(SYSTEM, "viewer", otto, on=team)
    actor = as_actor(otto)
    for thing in (team, experiment, model):
        with CaptureQueriesContext(connection) as queries:
            policy.can(actor, "model.read", thing)
        assert len(queries.captured_queries) == 1
        with CaptureQueriesContext(connection) as queries:
            policy.verbs_on(actor, thing)
        assert len(queries.captured_queries) == 1


def test_the_models_owner_holds_the_role_owner_on_it(model: RegisteredModel, otto: User) -> None:
    assert not policy.can(as_actor(otto), "model.manage", model)
    model.owner = otto
    model.save(update_fields=["owner"])
    assert policy.can(as_actor(otto), "model.manage", model)
    assert not policy.can(as_actor(otto), "review.sign.approver", model)
    assert otto in policy.who_may("model.manage", model)


def test_a_stranger_sees_nothing(
    experiment: Experiment, model: RegisteredModel, otto: User, ana: User
) -> None:
    for actor, count in ((as_actor(otto), 0), (as_actor(ana), 1)):
        assert (
            Experiment.objects.filter(policy.visible_experiments(actor), pk=experiment.pk).count()
            == count
        )
        assert RegisteredModel.objects.filter(policy.visible_models(actor)).count() == count


@pytest.mark.parametrize("through", ["person", "group", "team", "team group", "owner"])
def test_lists_show_what_may_be_read_once_and_nothing_else(
    through: str, team: Team, experiment: Experiment, model: RegisteredModel, otto: User, omar: User
) -> None:
    experiment_of(omar, name="hidden")
    model_of(omar, name="hidden")
    group = Group.objects.create(name="risk")
    otto.groups.add(group)
    holder = group if "group" in through else otto
    if through == "owner":
        model.owner = otto
        model.save(update_fields=["owner"])
        services.grant_role(SYSTEM, "viewer", otto, on=experiment)
    else:
        places: list[policy.Rooted] = [team] if "team" in through else [experiment, model]
        for on in places:
            services.grant_role(SYSTEM, "viewer", holder, on=on)
            services.grant_role(SYSTEM, "contributor", holder, on=on)
    actor = as_actor(otto)
    seen = Experiment.objects.filter(policy.visible_experiments(actor))
    assert list(seen) == [experiment]
    assert list(RegisteredModel.objects.filter(policy.visible_models(actor))) == [model]
    assert policy.can(actor, "experiment.read", experiment)
    writable = RegisteredModel.objects.filter(
        policy.where_may(actor, "model.manage", RegisteredModel)
    )
    assert list(writable) == ([model] if through == "owner" else [])


def test_a_token_of_the_wrong_scope_sees_nothing(experiment: Experiment, ana: User) -> None:
    registry = as_actor(ana, scopes={"registry"})
    assert not Experiment.objects.filter(policy.visible_experiments(registry)).exists()
    assert Experiment.objects.filter(
        policy.visible_experiments(as_actor(ana, scopes={"read"})), pk=experiment.pk
    ).exists()


def test_a_group_on_the_site_gives_its_members_the_role(otto: User) -> None:
    group = Group.objects.create(name="auditors")
    services.grant_role(SYSTEM, "auditor", group)
    assert not policy.can(as_actor(otto), "audit.read")
    otto.groups.add(group)
    assert policy.can(as_actor(otto), "audit.read")
    assert otto in policy.who_may("audit.read")
    assert "through the group auditors" in policy.explain(as_actor(otto), "audit.read")


def test_a_revocation_bites_at_the_next_call(ada: User, ana: User, experiment: Experiment) -> None:
    before = as_actor(ana)
    assert policy.can(before, "experiment.write", experiment)
    services.revoke_role(as_actor(ada), "contributor", ana)
    assert not policy.can(as_actor(ana), "experiment.write", experiment)
    services.grant_role(as_actor(ada), "contributor", ana, on=experiment)
    same_actor = as_actor(ana)
    assert policy.can(same_actor, "experiment.write", experiment)
    services.revoke_role(as_actor(ada), "contributor", ana, on=experiment)
    assert not policy.can(same_actor, "experiment.write", experiment)


def test_who_may_finds_every_path_and_no_one_else(
    team: Team, model: RegisteredModel, rui: User, ana: User, otto: User, ada: User, omar: User
) -> None:
    on_model, in_group, on_team = (hire(n, n.title()) for n in ("mona", "gail", "tess"))
    group = Group.objects.create(name="approvers")
    in_group.groups.add(group)
    services.grant_role(SYSTEM, "approver", on_model, on=model)
    services.grant_role(SYSTEM, "approver", on_team, on=team)
    services.grant_role(SYSTEM, "approver", group, on=team)
    assert set(policy.who_may("review.sign.approver", model)) == {rui, on_model, in_group, on_team}
    assert set(policy.who_may("review.sign.approver")) == {rui}
    assert set(policy.who_may("model.manage", model)) == {omar}
    services.deactivate_user(as_actor(ada), rui, reason="left")
    assert set(policy.who_may("review.sign.approver")) == set()


def test_nobody_signs_who_administers_people(ada: User, rui: User, model: RegisteredModel) -> None:
    services.grant_role(SYSTEM, "approver", ada)
    actor = as_actor(ada)
    assert "review.sign.approver" in actor.site_verbs
    assert not policy.can(actor, "review.sign.approver", model)
    assert "administers people" in policy.explain(actor, "review.sign.approver", model)
    assert list(policy.who_may("review.sign.approver")) == [rui]


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_the_system_may_everything_but_sign(verb: str, model: RegisteredModel) -> None:
    assert policy.can(SYSTEM, verb, model) == (not is_signing(verb))


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_a_token_carries_the_verbs_of_its_scopes_only(verb: str, db: None) -> None:
    everyone = Actor(user_id=1, kind=SYSTEM.kind.HUMAN, label="x", door="mlflow")
    for scope in ("read", "tracking", "registry"):
        actor = replace(
            everyone, site_verbs=frozenset(VERBS) - {"people.manage"}, scopes=frozenset({scope})
        )
        assert policy.can(actor, verb) == (scope in SCOPES_OF_VERB.get(verb, ()))


def test_no_token_signs_manages_recalls_or_leaves() -> None:
    grave = {verb for verb in VERBS if is_signing(verb) or verb.endswith(".manage")}
    grave |= {"target.leave", "check.recall", "model.sandbox"}
    assert not grave & set(SCOPES_OF_VERB)


def test_a_service_never_signs(omar: User, model: RegisteredModel) -> None:
    service = services.create_service(SYSTEM, username="ci", display_name="Pipeline", owners=[omar])
    actor = replace(as_actor(service), site_verbs=frozenset(VERBS) - {"people.manage"})
    assert policy.can(actor, "model.register", model)
    assert not policy.can(actor, "review.sign.validator", model)


def test_a_verb_that_does_not_exist_is_a_programming_error(ana: User) -> None:
    with pytest.raises(ValueError, match="not a verb"):
        policy.can(as_actor(ana), "review.approve")


def test_a_refusal_names_the_verb_the_place_and_whom_to_ask(
    model: RegisteredModel, otto: User, omar: User, ada: User
) -> None:
    with pytest.raises(Forbidden) as refusal:
        policy.require(as_actor(otto), "model.edit", model)
    text = str(refusal.value)
    assert "model.edit" in text
    assert f"model:{model.pk}" in text
    assert "Omar Haddad" in text
    assert "Ada Okafor" in text


def test_whoever_sees_it_is_told_of_it_by_name(model: RegisteredModel, ada: User) -> None:
    with pytest.raises(Forbidden, match=r"on credit: no role held there has model\.manage"):
        policy.require(as_actor(ada), "model.manage", model)


def test_nobody_is_told_to_ask_herself(model: RegisteredModel, omar: User, ada: User) -> None:
    with pytest.raises(Forbidden) as refusal:
        policy.require(as_actor(ada), "model.manage", model)
    assert refusal.value.hint == "Ask Omar Haddad."
    with pytest.raises(Forbidden) as refusal:
        policy.require(as_actor(ada), "experiment.create")
    assert "Ada" not in refusal.value.hint
    assert "a second administrator is needed" in refusal.value.hint
    hire("adam", "Adam Novák", "administrator")
    with pytest.raises(Forbidden) as refusal:
        policy.require(as_actor(ada), "experiment.create")
    assert refusal.value.hint == "Ask Adam Novák."


def test_a_token_is_told_which_scope_is_missing(ana: User) -> None:
    raw = token_for(ana, "read")
    actor = services.authenticate_token(raw)
    assert actor is not None
    with pytest.raises(Forbidden, match="scope tracking"):
        policy.require(actor, "experiment.write")
    with pytest.raises(Forbidden, match="No token carries"):
        policy.require(actor, "model.manage")


def test_an_explanation_names_the_role_and_where_it_is_held(
    team: Team, model: RegisteredModel, otto: User
) -> None:
    services.grant_role(SYSTEM, "contributor", otto, on=team)
    said = policy.explain(as_actor(otto), "model.edit", model)
    assert f"contributor on team:{team.pk}" in said
    assert policy.default_team(as_actor(otto), "experiment.create") == team
    assert list(policy.teams_where(as_actor(otto), "model.create")) == [team]
