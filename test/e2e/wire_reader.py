"""Reads messages of sink.proto with Google's own reader: a line of hex each on stdin, a line of JSON each on stdout, null for no message."""
import base64
import json
import struct
import sys

from google.protobuf.message import DecodeError

import sink_pb2

WIDE = {"f_int64", "f_uint64", "f_sint64", "f_fixed64", "f_sfixed64"}


def value(field, it):
    if field.message_type:
        return fields(it)
    if field.enum_type:
        known = field.enum_type.values_by_number.get(it)
        return known.name if known else it
    if isinstance(it, float):
        return struct.pack(">d", it).hex() if it == it else "NaN"
    if isinstance(it, bytes):
        return base64.b64encode(it).decode()
    return str(it) if field.name in WIDE else it


def key(it):
    return str(it).lower() if isinstance(it, bool) else str(it)


def fields(message):
    told = {}
    for field in message.DESCRIPTOR.fields:
        it = getattr(message, field.name)
        if field.message_type and field.message_type.GetOptions().map_entry:
            entry = field.message_type.fields_by_name["value"]
            told[field.name] = {key(name): value(entry, it[name]) for name in it}
        elif field.is_repeated:
            told[field.name] = [value(field, one) for one in it]
        elif field.containing_oneof:
            if message.HasField(field.name):
                told[field.name] = value(field, it)
                told[field.containing_oneof.name] = field.name
        elif field.message_type and not message.HasField(field.name):
            told[field.name] = None
        else:
            told[field.name] = value(field, it)
    return told


for line in sys.stdin:
    try:
        print(json.dumps(fields(sink_pb2.All.FromString(bytes.fromhex(line.strip())))))
    except DecodeError:
        print("null")
