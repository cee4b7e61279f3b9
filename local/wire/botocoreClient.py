"""Calls AWS operations with botocore for the tests of the wire, one JSON document a line in and out.

In:  {"service", "operation", "input", "output"}: values in JSON form (blobs in base64, timestamps in epoch seconds);
     "output" is what the service is going to answer.
Out: {"skip": why} when this botocore's model is too old for the operation; otherwise {"sent", "expected", "received"}: the input
     as this botocore's older or newer model has it, the announced output likewise, and what came back; {"error"} when
     the call failed.

Usage: botocoreClient.py ENDPOINT MODULE, where MODULE is `botocore` or the AWS CLI v2's own copy, `awscli.botocore`.
"""

import base64
import datetime
import importlib
import json
import os
import sys

endpoint, module = sys.argv[1:3]
# No retries: the two botocores spell it differently in Config and alike here.
os.environ["AWS_MAX_ATTEMPTS"] = "1"
session = importlib.import_module(f"{module}.session").Session()
Config = importlib.import_module(f"{module}.config").Config
clients = {}


def client_of(service):
    if service not in clients:
        clients[service] = session.create_client(
            service,
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id="AKID",
            aws_secret_access_key="secret",
            config=Config(parameter_validation=False, inject_host_prefix=False),
        )
    return clients[service]


def to_python(shape, value):
    """A value in JSON form as botocore takes it, without members that this model does not have."""
    kind = shape.type_name
    if kind == "structure":
        if getattr(shape, "is_document_type", False):
            return value
        members = {name: member for name, member in shape.members.items() if name in value}
        return {name: to_python(member, value[name]) for name, member in members.items()}
    if kind == "list":
        return [to_python(shape.member, item) for item in value]
    if kind == "map":
        return {key: to_python(shape.value, item) for key, item in value.items()}
    if kind == "blob":
        return base64.b64decode(value)
    if kind == "timestamp":
        return datetime.datetime.fromtimestamp(value, datetime.timezone.utc)
    if kind in ("integer", "long"):
        return int(value)
    if kind in ("float", "double"):
        return float(value)
    return value


def is_hollowed(original, kept):
    """Whether a structure lost all its members to an older model: forms cannot carry one that is empty."""
    if isinstance(original, dict) and isinstance(kept, dict):
        if original and not kept:
            return True
        return any(is_hollowed(original[key], item) for key, item in kept.items())
    if isinstance(original, list) and isinstance(kept, list):
        return any(is_hollowed(*pair) for pair in zip(original, kept))
    return False


def to_json(value):
    """What botocore takes or gives, in JSON form."""
    if isinstance(value, dict):
        return {key: to_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [to_json(item) for item in value]
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime.datetime):
        return value.timestamp()
    return to_json(value.read()) if hasattr(value, "read") else value


def call(request):
    client = client_of(request["service"])
    try:
        model = client.meta.service_model.operation_model(request["operation"])
    except Exception:
        return {"skip": "no such operation"}
    if model.has_event_stream_output or model.has_event_stream_input:
        return {"skip": "an event stream"}
    sent = to_python(model.input_shape, request["input"]) if model.input_shape else {}
    expected = to_python(model.output_shape, request["output"]) if model.output_shape else {}
    if is_hollowed(request["input"], sent) or is_hollowed(request["output"], expected):
        return {"skip": "an older model"}
    names = {operation: name for name, operation in client.meta.method_to_api_mapping.items()}
    noted = {"sent": to_json(sent), "expected": to_json(expected)}
    try:
        received = getattr(client, names[request["operation"]])(**sent)
    except Exception as error:
        answer = getattr(error, "response", {})
        return {**noted, "error": repr(error), "code": answer.get("Error", {}).get("Code")}
    received.pop("ResponseMetadata", None)
    return {**noted, "received": to_json(received)}


for line in sys.stdin:
    print(json.dumps(call(json.loads(line))), flush=True)
