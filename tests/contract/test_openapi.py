"""The contract is valid, complete, exemplified, and what stands in the repository."""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import validate
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

import api
import domain
from api import address_blocks, inbox, message_desk, order_messages
from api.contract.openapi import handlers_by_operation
from api.contract.operations import OPERATIONS
from api.contract.write import CONTRACT, contract_app, contract_differs, contract_documents, read_examples
from api.problems import KINDS, kind_of
from domain.checklist import operations as checklists
from domain.complaint import filing as grievance_filing
from domain.complaint import following as grievance_following
from domain.complaint import inspecting as grievance_inspecting
from domain.complaint import operations as grievances
from domain.deadline import calendar as working_calendar
from domain.deadline import supervising
from domain.document import operations as documents
from domain.document import template_operations as document_templates
from domain.document.link import operations as notice_links
from domain.enterprise import operations as codes
from domain.enterprise.posters import operations as posters
from domain.enterprise.profile import operations as profiles
from domain.exposure import operations as exposures
from domain.feedback import operations as feedback
from domain.inspection import door as doors
from domain.inspection import operations as inspections
from domain.inspection.answers import operations as answers
from domain.inspection.completion import operations as completion
from domain.inspection.package import operations as packages
from domain.inspection.record import operations as records
from domain.manual import operations as manuals
from domain.material import operations as materials
from domain.membership import staff
from domain.publication import operations as publications
from domain.publication.objection import operations as objections
from domain.rating import operations as ratings
from domain.rectification import answering as rectification_answers
from domain.rectification import operations as rectification
from domain.rectification import re_inspecting as re_inspections
from domain.rectification import serving as services
from domain.rectification import transferring as transfers
from domain.request import operations as requests
from domain.self_inspection import operations as self_inspections
from domain.self_inspection.assigned import answering as received_tasks
from domain.self_inspection.assigned import operations as assigned_tasks
from domain.self_inspection.hazard import operations as hazards
from domain.shared.errors import DomainError
from domain.subscription import operations as subscriptions

Document = dict[str, Any]
OUTSIDE_PATHS = {
    ("post", "/api/v1/sessions"),
    ("post", "/api/v1/sessions/refresh"),
    ("get", "/api/v1/codes/{token}"),
    ("get", "/c/{token}"),
    ("get", "/api/v1/inspections"),
    ("get", "/api/v1/inspections/{inspection_id}"),
    ("post", "/api/v1/inspections/{inspection_id}/check-ins"),
    ("get", "/api/v1/public/enterprises/{uscc}"),
    ("get", "/health/live"),
    ("get", "/health/ready"),
}
CARRIED_OUT: dict[str, Callable[..., object]] = {
    "checkIn": inspections.check_in,
    "recordIdentification": doors.record_identification,
    "answerIdentification": doors.answer_identification,
    "issueSupervisionOrder": supervising.urge,
    "answerSupervisionOrder": supervising.answer_order,
    "judgeSupervisionAnswer": supervising.judge_answer,
    "changeWorkingCalendar": working_calendar.lay_days,
    "submitRequest": requests.submit_request,
    "takeRequestStep": requests.take_step,
    "fileObjection": objections.file_objection,
    "decideObjection": objections.decide_objection,
    "withdrawObjection": objections.withdraw_objection,
    "drawRatingToken": ratings.draw_token,
    "rateVisit": ratings.submit_rating,
    "depart": inspections.depart,
    "voidVisit": inspections.void_visit,
    "leaseNumbers": packages.lease_block,
    "putAnswer": answers.record_answer,
    "markInBulk": answers.mark_in_bulk,
    "releaseList": answers.release_list,
    "putRecordFacts": records.record_facts,
    "sign": records.sign,
    "inviteEnterpriseMember": staff.invite_member,
    "changeEnterpriseMember": staff.change_member,
    "removeEnterpriseMember": staff.remove_member,
    "reopenRecord": records.reopen_record,
    "complete": completion.complete,
    "replaceOfficer": completion.replace_officer,
    "createChecklist": checklists.create_checklist,
    "editChecklist": checklists.edit_checklist,
    "beginChecklistDraft": checklists.begin_draft,
    "replaceChecklistItems": checklists.replace_items,
    "importChecklistItems": checklists.replace_items,
    "publishChecklist": checklists.publish_checklist,
    "setChecklistState": checklists.set_state,
    "deleteChecklist": checklists.delete_checklist,
    "createManual": manuals.create_manual,
    "editManual": manuals.edit_manual,
    "beginManualDraft": manuals.begin_draft,
    "replaceManualElements": manuals.replace_elements,
    "setManualFile": manuals.set_file,
    "publishManual": manuals.publish_manual,
    "disableManual": manuals.disable_manual,
    "putEnterpriseProfile": profiles.change_profile,
    "putSiteProfile": profiles.change_site_profile,
    "uploadMaterial": materials.upload_material,
    "removeMaterial": materials.remove_material,
    "openPosterBatch": posters.open_batch,
    "cancelPosterBatch": posters.cancel_batch,
    "resumePosterBatch": posters.resume_batch,
    "issueCode": codes.issue_code,
    "reissueCode": codes.reissue_code,
    "revokeCode": codes.revoke_code,
    "markDocumentSealed": documents.mark_sealed,
    "revokeNoticeLink": notice_links.revoke_link,
    "sendRectificationMessage": order_messages.send_again,
    "subscribe": subscriptions.subscribe,
    "endOwnSubscriptions": subscriptions.end_own,
    "markMessageRead": inbox.mark_read,
    "markMessagesRead": inbox.mark_all_read,
    "closeToDo": inbox.close_to_do,
    "retryMessages": message_desk.put_back,
    "blockAddress": address_blocks.block_address,
    "liftAddressBlock": address_blocks.lift_block,
    "draftDocumentTemplate": document_templates.draft_template,
    "editDocumentTemplate": document_templates.edit_template,
    "takeDocumentTemplateStep": document_templates.take_template_step,
    "deleteDocumentTemplate": document_templates.delete_template,
    "withholdPublication": publications.withhold,
    "releasePublication": publications.release,
    "withdrawPublication": publications.withdraw,
    "issueRectificationOrder": rectification.issue_rectification_order,
    "revokeRectificationOrder": rectification.revoke_order,
    "giveRectificationFeedback": rectification_answers.give_feedback,
    "requestRectificationExtension": rectification_answers.request_extension,
    "decideRectificationExtension": rectification_answers.decide_extension,
    "reInspect": re_inspections.re_inspect,
    "recordService": services.record_service,
    "recordNoticeService": services.record_notice_service,
    "giveServiceConsent": services.give_consent,
    "withdrawServiceConsent": services.withdraw_consent,
    "openTransfer": transfers.open_transfer,
    "handOverTransfer": transfers.hand_over,
    "startSelfInspection": self_inspections.start_self_inspection,
    "putSelfAnswer": self_inspections.answer_item,
    "submitSelfInspection": self_inspections.submit_self_inspection,
    "discardSelfInspection": self_inspections.discard_self_inspection,
    "reportHazard": hazards.report_hazard,
    "putHazardHandling": hazards.plan_handling,
    "closeHazard": hazards.close_hazard,
    "escalateHazard": hazards.escalate_hazard,
    "createAssignedTask": assigned_tasks.create_task,
    "editAssignedTask": assigned_tasks.edit_task,
    "addTaskRows": assigned_tasks.add_rows,
    "removeTaskRows": assigned_tasks.remove_rows,
    "chooseTaskObjects": assigned_tasks.choose_objects,
    "confirmAssignedTask": assigned_tasks.confirm_task,
    "reopenAssignedTask": assigned_tasks.reopen_task,
    "dispatchAssignedTask": assigned_tasks.dispatch_task,
    "stopAssignedTask": assigned_tasks.stop_dispatch,
    "putTaskAnswer": received_tasks.answer_row,
    "submitTaskAnswers": received_tasks.submit_answers,
    "submitPublicReply": publications.submit_reply,
    "withdrawPublicReply": publications.withdraw_reply,
    "fileComplaint": grievance_filing.file_complaint,
    "fileTipOff": grievance_filing.file_tip_off,
    "supplementGrievance": grievance_following.supplement,
    "withdrawGrievance": grievance_following.withdraw,
    "reopenGrievance": grievance_following.reopen,
    "takeGrievanceStep": grievances.take_step,
    "takeGrievanceSteps": grievances.take_steps,
    "mergeGrievances": grievances.merge,
    "markGrievanceAbuse": grievances.mark_abuse,
    "viewComplainantIdentity": grievances.view_identity,
    "startGrievanceInspection": grievance_inspecting.start_inspection,
    "giveComplaintStatement": grievances.give_statement,
    "draftExposure": exposures.draft_exposure,
    "editExposure": exposures.edit_exposure,
    "publishExposure": exposures.publish_exposure,
    "withdrawExposure": exposures.withdraw_exposure,
    "giveFeedback": feedback.give_feedback,
    "giveFeedbackAsEnterprise": feedback.give_feedback,
    "answerFeedback": feedback.answer_feedback,
}
"""Which operation of the domain each keyed write carries out."""


@pytest.fixture(scope="module")
def openapi() -> Document:
    """The document as it is generated now."""
    return json.loads(contract_documents()["openapi.json"])


@pytest.fixture(scope="module")
def asyncapi() -> Document:
    """The live channel's document as it is generated now."""
    return json.loads(contract_documents()["asyncapi.json"])


def operations_of(openapi: Document) -> Iterator[tuple[str, str, Document]]:
    """Method, path and operation."""
    for path, item in openapi["paths"].items():
        for method, operation in item.items():
            yield method, path, operation


def contents_of(operation: Document) -> Iterator[tuple[str, str, Document]]:
    """Where it stands, media type and content, of the request and of every answer."""
    for media, content in operation.get("requestBody", {}).get("content", {}).items():
        yield "request", media, content
    for status, answer in operation["responses"].items():
        for media, content in answer.get("content", {}).items():
            yield status, media, content


def examples_in(openapi: Document, content: Document) -> list[Any]:
    """Every example of one content, references followed."""
    named = [
        openapi["components"]["examples"][each["$ref"].rpartition("/")[2]] if "$ref" in each else each
        for each in content.get("examples", {}).values()
    ]
    return [each["value"] for each in named] + ([content["example"]] if "example" in content else [])


def judge(document: Document, schema: Document) -> Draft202012Validator:
    """A validator of `schema` as a part of `document`."""
    resource = Resource(contents=document, specification=DRAFT202012)
    registry: Registry[Any] = Registry().with_resource("urn:contract", resource)
    absolute = json.loads(json.dumps(schema).replace('"#/', '"urn:contract#/'))
    return Draft202012Validator(absolute, registry=registry, format_checker=FormatChecker())


def every_refusal(root: type[DomainError] = DomainError) -> Iterator[type[DomainError]]:
    """Every subclass, however deep; an intermediate one is a refusal too."""
    for cls in root.__subclasses__():
        yield cls
        yield from every_refusal(cls)


def test_the_document_is_valid_openapi_3_1(openapi: Document) -> None:
    validate(openapi)
    assert openapi["openapi"] == "3.1.0"


def test_the_committed_documents_are_what_the_code_says() -> None:
    assert contract_differs() == []


def test_the_documents_are_the_same_bytes_each_time() -> None:
    assert contract_documents() == contract_documents()


def test_the_paths_that_the_outside_relies_on_are_there(openapi: Document) -> None:
    present = {(method, path) for method, path, _ in operations_of(openapi)}
    assert present >= OUTSIDE_PATHS


def test_every_route_that_is_not_hidden_is_told_of(openapi: Document) -> None:
    shown = {operation["operationId"] for _, _, operation in operations_of(openapi)}
    assert shown == handlers_by_operation(contract_app()).keys() == OPERATIONS.keys()


def test_every_body_has_an_example(openapi: Document) -> None:
    bare = [
        (operation["operationId"], where, media)
        for _, _, operation in operations_of(openapi)
        for where, media, content in contents_of(operation)
        if where != "default" and "contentMediaType" not in content["schema"] and not examples_in(openapi, content)
    ]
    assert bare == []


def test_every_example_is_what_its_schema_says(openapi: Document) -> None:
    wrong = [
        (operation["operationId"], where, media, error.json_path, error.message)
        for _, _, operation in operations_of(openapi)
        for where, media, content in contents_of(operation)
        for example in examples_in(openapi, content)
        for error in judge(openapi, content["schema"]).iter_errors(example)
    ]
    assert wrong == []


def test_an_example_that_breaks_its_schema_would_be_found(openapi: Document) -> None:
    schema = openapi["components"]["schemas"]["CheckInOrder"]
    assert not judge(openapi, schema).is_valid({"second_officer_id": "not a uuid"})
    receipt = openapi["components"]["schemas"]["Receipt"]
    assert not judge(openapi, receipt).is_valid({"id": 1, "received_at": "noon", "digest": ""})


def test_every_example_file_is_used(openapi: Document, asyncapi: Document) -> None:
    written = read_examples()
    used = [
        example
        for _, _, operation in operations_of(openapi)
        for _, _, content in contents_of(operation)
        for example in examples_in(openapi, content)
    ]
    used += [each["examples"][0]["payload"] for each in asyncapi["components"]["messages"].values()]
    assert [name for name, example in written.items() if example not in used] == []


def test_each_problem_example_is_one_that_its_operation_can_answer(openapi: Document) -> None:
    for _, _, operation in operations_of(openapi):
        written = read_examples().get(f"{operation['operationId']}.problem")
        if written is None:
            continue
        answer = operation["responses"][str(written["status"])]
        listed = answer["content"]["application/problem+json"]["examples"]
        assert listed[written["type"].rpartition(":")[2]]["value"] == written


def test_numbers_identifiers_and_instants_have_formats(openapi: Document) -> None:
    def bare(name: str, schema: Any) -> Iterator[str]:
        if isinstance(schema, list):
            for part in schema:
                yield from bare(name, part)
        if not isinstance(schema, dict):
            return
        is_text = schema.get("type") == "string" and "enum" not in schema
        wants_format = schema.get("type") in {"integer", "number"} or (
            is_text and (name == "id" or name.endswith(("_id", "_at", "_on")))
        )
        if wants_format and "format" not in schema:
            yield name
        for property_name, shape in schema.get("properties", {}).items():
            yield from bare(property_name, shape)
        for key in ("anyOf", "items"):
            yield from bare(name, schema.get(key))

    assert [found for name, shape in openapi["components"]["schemas"].items() for found in bare(name, shape)] == []


def test_a_write_must_carry_its_key(openapi: Document) -> None:
    keyed = {
        operation["operationId"]
        for _, _, operation in operations_of(openapi)
        if {"$ref": "#/components/parameters/IdempotencyKey"} in operation.get("parameters", [])
    }
    assert keyed == CARRIED_OUT.keys()
    assert openapi["components"]["parameters"]["IdempotencyKey"]["required"] is True


def test_a_write_upon_a_version_tells_what_becomes_of_an_outdated_one(openapi: Document) -> None:
    versioned = {
        operation["operationId"]: operation["responses"].keys()
        for _, _, operation in operations_of(openapi)
        if {"$ref": "#/components/parameters/IfMatch"} in operation.get("parameters", [])
    }
    assert versioned.keys() == {
        "chooseTaskObjects",
        "editAssignedTask",
        "putAnswer",
        "putEnterpriseProfile",
        "putHazardHandling",
        "putRecordFacts",
        "putSelfAnswer",
        "putSiteProfile",
        "putTaskAnswer",
    }
    assert all("412" in answers for answers in versioned.values())


def test_who_may_call_is_told_with_each_operation(openapi: Document) -> None:
    for _, _, operation in operations_of(openapi):
        if "x-yima-roles" in operation:
            assert operation["security"] == [{"bearer": []}]
        else:
            assert operation["security"] in ([], [{}, {"bearer": []}])


@pytest.mark.parametrize("name", sorted(CARRIED_OUT))
def test_what_a_write_says_it_raises_is_in_the_contract(name: str) -> None:
    words = (inspect.getdoc(CARRIED_OUT[name]) or "").partition("Raises")[2]
    said = set(re.findall(r"`([A-Z]\w+)`", words))
    told = {refusal.__name__ for refusal in OPERATIONS[name].refuses}
    assert said
    assert said - told == set()


def test_no_refusal_of_the_domain_falls_to_internal_error() -> None:
    for package in (api, domain):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    ours = [cls for cls in every_refusal() if cls.__module__.startswith(("api.", "domain.", "codes."))]
    assert [cls.__name__ for cls in ours if KINDS.keys().isdisjoint(cls.__mro__)] == []


def test_a_refusal_without_a_row_is_a_defect() -> None:
    class Unheard(DomainError):
        """Nobody gave it a row."""

    assert kind_of(Unheard()).slug == "internal-error"


def test_each_problem_has_a_slug_of_its_own() -> None:
    assert [slug for slug, times in Counter(kind.slug for kind in KINDS.values()).items() if times > 1] == []


def test_the_list_of_problems_holds_every_kind() -> None:
    listed = json.loads((CONTRACT / "problems.json").read_text("utf-8"))
    assert {row["slug"] for row in listed} >= {kind.slug for kind in KINDS.values()}
    assert all(row["type"] == f"urn:yima:problem:{row['slug']}" for row in listed)


def test_every_live_frame_has_an_example_that_fits(asyncapi: Document) -> None:
    messages = asyncapi["components"]["messages"]
    assert messages.keys() > {"ready", "snapshot", "heartbeat", "closing", "inspection.checked_in"}
    for name, message in messages.items():
        example = message["examples"][0]["payload"]
        assert name == (example["event"]["action"] if example["type"] == "event" else example["type"])
        assert list(judge(asyncapi, message["payload"]).iter_errors(example)) == []


def test_the_live_channel_tells_when_and_how_to_come_again(asyncapi: Document) -> None:
    channel = asyncapi["channels"]["live"]
    assert {each["code"] for each in channel["x-yima-close-codes"]} >= {1012, 4400, 4401, 4408}
    assert "after" in channel["bindings"]["ws"]["query"]["properties"]
    assert "bearer." in channel["description"]
