"""S3, DynamoDB, KMS and STS for boto3: bytes come back exactly, limits are AWS's."""

import io
import os
import urllib.request

import boto3
from botocore.exceptions import ClientError


def refusal(call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"]
    raise AssertionError(f"{call} was not refused")


def objects():
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="releases")
    # Bytes that look like chunk headers, and more than one part of a multipart upload.
    archive = os.urandom(1_000_000) + b"\r\n5;chunk-signature=0\r\n0\r\n\r\n"
    s3.put_object(Bucket="releases", Key="web/v 1+.tar.gz", Body=archive)
    assert s3.get_object(Bucket="releases", Key="web/v 1+.tar.gz")["Body"].read() == archive
    s3.upload_fileobj(io.BytesIO(archive * 12), "releases", "large")
    assert s3.get_object(Bucket="releases", Key="large")["Body"].read() == archive * 12
    part = s3.get_object(Bucket="releases", Key="large", Range="bytes=10-19")
    assert (part["ResponseMetadata"]["HTTPStatusCode"], part["Body"].read()) == (206, archive[10:20])
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "releases", "Key": "web/v 1+.tar.gz"})
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    assert direct.open(url).read() == archive
    assert refusal(s3.get_object, Bucket="releases", Key="none") == "NoSuchKey"


def items():
    dynamodb = boto3.client("dynamodb")
    dynamodb.create_table(
        TableName="t",
        KeySchema=[{"AttributeName": "Pk", "KeyType": "HASH"}, {"AttributeName": "Sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("Pk", "Sk")],
        BillingMode="PAY_PER_REQUEST",
    )
    for number in range(4):
        item = {"Pk": {"S": "p"}, "Sk": {"S": str(number)}, "V": {"S": "x" * 390_000}}
        dynamodb.put_item(TableName="t", Item=item)
    pages = dynamodb.get_paginator("scan").paginate(TableName="t")
    assert [len(page["Items"]) for page in pages] == [2, 2]
    item["V"]["S"] = "x" * 410_000
    assert refusal(dynamodb.put_item, TableName="t", Item=item) == "ValidationException"


def secrets():
    kms = boto3.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    context = {"App": "web", "Name": "PASSWORD"}
    blob = kms.encrypt(KeyId=key, Plaintext=b"hush", EncryptionContext=context)["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=blob, EncryptionContext=context)["Plaintext"] == b"hush"
    other = {"App": "other", "Name": "PASSWORD"}
    assert refusal(kms.decrypt, CiphertextBlob=blob, EncryptionContext=other) == "InvalidCiphertextException"
    assert boto3.client("sts").get_caller_identity()["Account"] == "123456789012"


objects()
items()
secrets()
