"""Sums from Python: sums_client.py ADDRESS, with what grpc_tools makes of sums.proto on the path. Prints what it was told."""
import json
import sys
import uuid

import grpc
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

import sums_pb2
import sums_pb2_grpc

with grpc.insecure_channel(sys.argv[1]) as channel:
    sums = sums_pb2_grpc.SumServiceStub(channel)
    request = sums_pb2.AddRequest(firstNumber=20, secondNumber=22, requestId=str(uuid.uuid4()))
    results = [sums.AddNumbers(request, timeout=10).result for _ in range(3)]
    try:
        sums.AddNumbers(sums_pb2.AddRequest(firstNumber=2**31 - 1, secondNumber=1), timeout=10)
        overflow = None
    except grpc.RpcError as error:
        overflow = [error.code().name, error.details(), dict(error.trailing_metadata()).get("traceparent")]
    health = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(service="SumService"), timeout=10)
    database = ProtoReflectionDescriptorDatabase(channel)
    method = DescriptorPool(database).FindServiceByName("SumService").FindMethodByName("AddNumbers")
    print(json.dumps({
        "requestId": request.requestId,
        "results": results,
        "overflow": overflow,
        "health": health_pb2.HealthCheckResponse.ServingStatus.Name(health.status),
        "services": list(database.get_services()),
        "fields": [field.name for field in method.input_type.fields],
    }))
