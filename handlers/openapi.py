"""What can programs ask of us, in the words of OpenAPI 3.1?"""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

_AT = "2026-11-01T09:00:00Z"
_CALL: Json = {
    "userId": {"type": "string", "minLength": 1, "maxLength": 200, "description": "Your id of the customer."},
    "timestamp": {"type": "string", "format": "date-time", "description": "When it happened."},
    "messageId": {
        "type": "string",
        "maxLength": 100,
        "description": "Your id of this call: the same one again changes nothing.",
    },
    "context": {"type": "object", "description": "`timezone` and `locale` are used."},
}
_TRAITS: Json = {
    "type": "object",
    "description": "Attributes. `line_user_id`, `name`, `email`, `company`, `plan`, `timezone` and `language`"
    " have a meaning of their own.",
    "additionalProperties": {"type": ["string", "number", "boolean", "null", "object"]},
}


def _object(properties: Json, required: list[str]) -> Json:
    return {"type": "object", "properties": properties, "required": required}


def _told(description: str, schema: str) -> Json:
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {"description": description, "content": content}


_REFUSALS: Json = {
    "400": _told("Something in it cannot be taken; nothing of it was.", "Errors"),
    "401": _told("The key or the signature is missing or wrong.", "Errors"),
    "413": _told("Larger than 500 KB.", "Errors"),
    "503": _told("Not stored. Send the same request again after `Retry-After` seconds.", "Errors"),
}


def _call(summary: str, schema: str, example: Json) -> Json:
    body = {"schema": {"$ref": f"#/components/schemas/{schema}"}, "example": example}
    return {
        "post": {
            "summary": summary,
            "operationId": schema.lower(),
            "tags": ["Events"],
            "requestBody": {"required": True, "content": {"application/json": body}},
            "responses": {"200": _told("Stored for good.", "Taken"), **_REFUSALS},
        }
    }


def _of_customer(summary: str, name: str, schema: str, *, body: Json | None = None) -> Json:
    operation: Json = {
        "summary": summary,
        "operationId": name,
        "tags": ["LINE"],
        "parameters": [
            {
                "name": "external_id",
                "in": "path",
                "required": True,
                "schema": {"type": "string", "minLength": 1, "maxLength": 200},
                "example": "c-1042",
            }
        ],
        "responses": {
            "200": _told("Done.", schema),
            "409": _told("LINE is not set up.", "Errors"),
            **_REFUSALS,
        },
    }
    if body is not None:
        operation["requestBody"] = {"content": {"application/json": body}}
    return operation


def document(address: str) -> Json:
    """The description of the product's doors at this address."""
    customer = "/v1/customers/{external_id}"
    track = {"userId": "c-1042", "event": "login", "timestamp": _AT, "messageId": "e-1"}
    identify = {"userId": "c-1042", "traits": {"name": "田中 一郎", "plan": "trial"}, "timestamp": _AT}
    group = {"userId": "c-1042", "groupId": "tanaka-shoten", "timestamp": _AT}
    batch = {"batch": [{"type": "track", **track}, {"type": "identify", **identify}]}
    link_token = {
        "schema": _object({"linkToken": {"type": "string", "maxLength": 200}}, []),
        "example": {"linkToken": "NMZTNuVrPTqlr2IF8Bnymkb7rXfYv5EY"},
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Yorisoi",
            "version": "1",
            "description": "What your product tells Yorisoi, in Segment's HTTP tracking format, and how it"
            " joins its customers to their LINE accounts.",
        },
        "servers": [{"url": address}],
        "security": [{"key": []}, {"bearer": []}, {"signature": []}],
        "paths": {
            "/v1/track": _call("Something happened", "Track", track),
            "/v1/identify": _call("Who a customer is", "Identify", identify),
            "/v1/group": _call("Which company a customer belongs to", "Group", group),
            "/v1/batch": _call("Many calls at once, all or none", "Batch", batch),
            f"{customer}/line-link": {
                "post": _of_customer("A link that joins the customer to their LINE account", "link", "Link"),
                "delete": _of_customer("Part the customer from their LINE account", "unlink", "Unlinked"),
            },
            f"{customer}/account-link-nonce": {
                "post": _of_customer(
                    "A nonce for LINE's account-link dialog, after the customer signed in",
                    "nonce",
                    "Nonce",
                    body=link_token,
                )
            },
        },
        "components": {"securitySchemes": _SECURITY, "schemas": _SCHEMAS},
    }


_SECURITY: Json = {
    "key": {
        "type": "http",
        "scheme": "basic",
        "description": "YORISOI_INGEST_KEY as the user name, no password.",
    },
    "bearer": {"type": "http", "scheme": "bearer", "description": "YORISOI_INGEST_KEY."},
    "signature": {
        "type": "apiKey",
        "in": "header",
        "name": "webhook-signature",
        "description": "Standard Webhooks, with YORISOI_WEBHOOK_SECRET.",
    },
}
_NAME: Json = {"type": "string", "minLength": 1, "maxLength": 200}
_MOMENT: Json = {"type": "string", "format": "date-time"}
_SCHEMAS: Json = {
    "Track": _object({**_CALL, "event": _NAME, "properties": {"type": "object"}}, ["userId", "event"]),
    "Identify": _object({**_CALL, "traits": _TRAITS}, ["userId"]),
    "Group": _object({**_CALL, "groupId": _NAME, "traits": _TRAITS}, ["userId", "groupId"]),
    "Batch": _object(
        {
            "batch": {
                "type": "array",
                "maxItems": 2500,
                "items": _object(
                    {**_CALL, "type": {"enum": ["track", "identify", "group", "page", "screen"]}}, ["type"]
                ),
            }
        },
        ["batch"],
    ),
    "Taken": _object(
        {
            "success": {"const": True},
            "new": {"type": "integer", "description": "Events that were not known before."},
            "conflicts": {"type": "array", "items": {"type": "object"}},
        },
        ["success", "new"],
    ),
    "Errors": _object(
        {
            "errors": {
                "type": "array",
                "items": _object(
                    {
                        "index": {"type": "integer", "description": "The call's place in its batch."},
                        "field": {"type": "string"},
                        "message": {"type": "string"},
                        "message_ja": {"type": "string"},
                    },
                    ["message"],
                ),
            }
        },
        ["errors"],
    ),
    "Link": _object(
        {"url": {"type": "string", "format": "uri"}, "code": {"type": "string"}, "expires_at": _MOMENT},
        ["url", "code", "expires_at"],
    ),
    "Nonce": _object(
        {"nonce": {"type": "string"}, "url": {"type": "string"}, "expires_at": _MOMENT},
        ["nonce", "url", "expires_at"],
    ),
    "Unlinked": _object({"unlinked": {"type": "boolean"}}, ["unlinked"]),
}
