"""Audit: a number of people that holds whatever the model does, from a few cells that are counted by hand."""

from crowdscale.trust.audit.cells import AuditOptions, AuditPhoto, Cell, PeopleMap
from crowdscale.trust.audit.design import AuditPlan, plan_audit
from crowdscale.trust.audit.estimate import AuditEstimate, estimate, estimates
from crowdscale.trust.audit.record import Answer, AuditModel, AuditRecord

__all__ = [
    "Answer",
    "AuditEstimate",
    "AuditModel",
    "AuditOptions",
    "AuditPhoto",
    "AuditPlan",
    "AuditRecord",
    "Cell",
    "PeopleMap",
    "estimate",
    "estimates",
    "plan_audit",
]
