"""Operations of what follows: papers, templates, orders, service, transfers, publication."""

from __future__ import annotations

from collections.abc import Mapping

from api.contract.told import KEYED, SIGNED_IN, Refusals, Told
from api.schemas.document import VerificationView
from api.work import Accepted, DatabaseAway
from domain.document import rules as papers
from domain.document import template_rules
from domain.document import templates as document_templates
from domain.document.model import SealedCopy
from domain.document.template_model import TemplateAnswer
from domain.document.templates import TemplateBody
from domain.enterprise import rules as codes
from domain.evidence import rules as evidence
from domain.evidence.blobs import BlobsAway
from domain.inspection import rules
from domain.officer.rules import CertificateInvalid
from domain.publication import rules as publications
from domain.publication.model import PublicationAnswer, ReplyAnswer
from domain.rectification import acts as rectification
from domain.rectification import rules as orders
from domain.rectification import service_rules, telling
from domain.shared.errors import Forbidden, InvalidField, NotFound

_AT_THE_DOOR: Refusals = (NotFound, Forbidden, rules.NotAssigned, *KEYED, DatabaseAway)
_ORDER_ACT: Refusals = (NotFound, Forbidden, *KEYED, orders.OrderAlreadyClosed, DatabaseAway)
_TEMPLATE_CHANGE: Refusals = (Forbidden, *KEYED, DatabaseAway)
_PUBLICATION_CHANGE: Refusals = (NotFound, publications.AlreadyWithdrawn, *KEYED, DatabaseAway)

PAPER_OPERATIONS: Mapping[str, Told] = {
    "listPublications": Told(refuses=(InvalidField, DatabaseAway)),
    "readPublication": Told(refuses=(NotFound, DatabaseAway)),
    "withholdPublication": Told(
        result=Accepted[PublicationAnswer],
        refuses=(
            *_PUBLICATION_CHANGE,
            codes.ReasonMissing,
            publications.AlreadyPublished,
            publications.ObjectionDecides,
        ),
    ),
    "releasePublication": Told(
        result=Accepted[PublicationAnswer],
        refuses=(*_PUBLICATION_CHANGE, publications.NotWithheld, publications.ObjectionDecides),
    ),
    "withdrawPublication": Told(
        result=Accepted[PublicationAnswer],
        refuses=(*_PUBLICATION_CHANGE, codes.ReasonMissing, publications.NotPublished),
    ),
    "submitPublicReply": Told(result=Accepted[ReplyAnswer], refuses=(*_PUBLICATION_CHANGE, publications.ReplyInForce)),
    "withdrawPublicReply": Told(
        result=Accepted[ReplyAnswer], refuses=(NotFound, codes.ReasonMissing, *KEYED, DatabaseAway)
    ),
    "listInspectionDocuments": Told(refuses=(NotFound, DatabaseAway)),
    "searchDocuments": Told(refuses=(InvalidField, DatabaseAway)),
    "readDocument": Told(refuses=(NotFound, DatabaseAway)),
    "readDocumentFile": Told(
        result=bytes,
        refuses=(NotFound, papers.PaperNotReady, papers.PaperFailed, BlobsAway, DatabaseAway),
        media=("application/pdf",),
        is_conditional=True,
    ),
    "markDocumentSealed": Told(
        result=Accepted[SealedCopy],
        refuses=(
            NotFound,
            Forbidden,
            *KEYED,
            evidence.EvidenceMissing,
            papers.PaperAlreadyRevoked,
            papers.PaperAlreadySealed,
            DatabaseAway,
        ),
    ),
    "verifyDocument": Told(
        result=VerificationView,
        refuses=(NotFound, *SIGNED_IN, DatabaseAway),
        media=("text/html", "application/json"),
    ),
    "listDocumentTemplates": Told(refuses=(InvalidField, DatabaseAway)),
    "readDocumentTemplate": Told(refuses=(NotFound, DatabaseAway)),
    "previewDocumentTemplate": Told(
        result=bytes, refuses=(NotFound, papers.PaperFailed, DatabaseAway), media=("application/pdf",)
    ),
    "downloadDocumentTemplate": Told(result=TemplateBody, refuses=(NotFound, DatabaseAway)),
    "draftDocumentTemplate": Told(
        result=Accepted[TemplateAnswer], refuses=(*_TEMPLATE_CHANGE, document_templates.TemplateBroken)
    ),
    "editDocumentTemplate": Told(
        result=Accepted[TemplateAnswer],
        refuses=(
            NotFound,
            *_TEMPLATE_CHANGE,
            template_rules.TemplateNotEditable,
            document_templates.TemplateBroken,
        ),
    ),
    "takeDocumentTemplateStep": Told(
        result=Accepted[TemplateAnswer],
        refuses=(
            NotFound,
            *_TEMPLATE_CHANGE,
            template_rules.TemplateStepNotPossible,
            template_rules.ReviewerIsAuthor,
            template_rules.ReviewNoteRequired,
        ),
    ),
    "deleteDocumentTemplate": Told(
        result=Accepted[TemplateAnswer],
        refuses=(NotFound, *_TEMPLATE_CHANGE, template_rules.TemplateNotEditable),
    ),
    "draftRectificationOrder": Told(
        refuses=(
            NotFound,
            Forbidden,
            InvalidField,
            rules.NotAssigned,
            rules.NotCheckedIn,
            rules.SecondOfficerRequired,
            CertificateInvalid,
            template_rules.NoUsableTemplate,
            DatabaseAway,
        )
    ),
    "issueRectificationOrder": Told(
        result=Accepted[rectification.OrderIssued],
        refuses=(
            *_AT_THE_DOOR,
            rules.NotCheckedIn,
            rules.InspectionAlreadyClosed,
            rules.SecondOfficerRequired,
            CertificateInvalid,
            codes.ReasonMissing,
            orders.ItemNotOrderable,
            orders.ItemAlreadyOrdered,
            orders.NumberNotLeased,
            document_templates.FieldNotEditable,
            document_templates.ValueMissing,
            template_rules.NoUsableTemplate,
        ),
    ),
    "listRectificationOrders": Told(refuses=(InvalidField, DatabaseAway)),
    "readRectificationOrder": Told(refuses=(NotFound, DatabaseAway)),
    "readRectificationNotice": Told(
        result=bytes,
        refuses=(NotFound, papers.PaperNotReady, papers.PaperFailed, BlobsAway, DatabaseAway),
        media=("application/pdf",),
        is_conditional=True,
    ),
    "revokeRectificationOrder": Told(
        result=Accepted[rectification.OrderRevoked], refuses=(*_ORDER_ACT, codes.ReasonMissing)
    ),
    "giveRectificationFeedback": Told(
        result=Accepted[rectification.FeedbackGiven], refuses=(*_ORDER_ACT, evidence.EvidenceMissing)
    ),
    "requestRectificationExtension": Told(
        result=Accepted[rectification.ExtensionStands],
        refuses=(*_ORDER_ACT, orders.ExtensionAlreadyRequested, orders.TermAlreadyOver, codes.ReasonMissing),
    ),
    "decideRectificationExtension": Told(
        result=Accepted[rectification.ExtensionStands],
        refuses=(*_ORDER_ACT, orders.ExtensionAlreadyDecided, codes.ReasonMissing),
    ),
    "reInspect": Told(
        result=Accepted[rectification.ReInspected],
        refuses=(
            *_ORDER_ACT,
            rules.SecondOfficerRequired,
            CertificateInvalid,
            orders.ResultContradictsItems,
            orders.TermStillRuns,
            orders.PenaltyItemsRemain,
            orders.FurtherRoundNotApproved,
            evidence.EvidenceMissing,
        ),
    ),
    "previewRectificationMessage": Told(
        refuses=(
            NotFound,
            Forbidden,
            orders.OrderAlreadyClosed,
            service_rules.ServiceConsentMissing,
            InvalidField,
            DatabaseAway,
        )
    ),
    "sendRectificationMessage": Told(
        result=Accepted[rectification.OrderToldAgain],
        refuses=(*_ORDER_ACT, service_rules.ServiceConsentMissing, telling.OrderToldTooOften),
    ),
    "recordService": Told(
        result=Accepted[rectification.ServiceRecorded],
        refuses=(*_ORDER_ACT, service_rules.ServiceConsentMissing, evidence.EvidenceMissing),
    ),
    "recordNoticeService": Told(
        result=Accepted[rectification.NoticeServiceRecorded],
        refuses=(
            NotFound,
            Forbidden,
            *KEYED,
            service_rules.ServiceConsentMissing,
            evidence.EvidenceMissing,
            DatabaseAway,
        ),
    ),
    "readServiceConsent": Told(refuses=(NotFound, DatabaseAway)),
    "giveServiceConsent": Told(
        result=Accepted[rectification.ConsentGiven],
        refuses=(NotFound, Forbidden, *KEYED, evidence.EvidenceMissing, DatabaseAway),
    ),
    "withdrawServiceConsent": Told(
        result=Accepted[rectification.ConsentWithdrawn],
        refuses=(NotFound, Forbidden, *KEYED, service_rules.NoServiceConsent, DatabaseAway),
    ),
    "openTransfer": Told(
        result=Accepted[rectification.TransferStands],
        refuses=(
            *_AT_THE_DOOR,
            rules.NotCheckedIn,
            rules.SecondOfficerRequired,
            CertificateInvalid,
            codes.ReasonMissing,
            orders.TransferNotIndicated,
            orders.TransferAlreadyOpened,
        ),
    ),
    "listTransfers": Told(refuses=(InvalidField, DatabaseAway)),
    "readTransferFile": Told(
        result=bytes, refuses=(NotFound, Forbidden, BlobsAway, DatabaseAway), media=("application/zip",)
    ),
    "handOverTransfer": Told(
        result=Accepted[rectification.TransferStands],
        refuses=(
            NotFound,
            Forbidden,
            *KEYED,
            orders.TransferAlreadyHandedOver,
            evidence.EvidenceMissing,
            DatabaseAway,
        ),
    ),
}
