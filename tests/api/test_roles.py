"""What a key may do is its role's, over every generation."""

from __future__ import annotations

from tests.api.operator import Customer, Operator


def test_locked_settings_leave_the_classic_keys_the_role_enroll(customer: Customer, operator: Operator) -> None:
    assert operator.put(customer.subscription_id, {"lockSettings": True}).status == 200
    message = "This takes a key with the role manage. The key of this request has the role enroll."
    for client in (customer.primary, customer.secondary):
        for method, path in (("PATCH", "/settings"), ("GET", "/audit"), ("PUT", "/groups/staff")):
            assert client.call(method, path, b"no JSON").error == (403, "Forbidden", message)
    profile_id = customer.verification.create()
    assert customer.verification.delete(profile_id).status == 200
