#!/bin/sh
# The flow of 2013 by hand, as a user data script would do it: ask metadata, fetch and unpack the release, build it, read
# its config with a signed query, run it, poll until it answers. The yardstick of `cargo xtask bench agent`.
# Needs METADATA, ENDPOINT, BIND, PORT and TAG in the environment.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

token=$(curl -sSf -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 300' "$METADATA/latest/api/token")
metadata() { curl -sSf -H "X-aws-ec2-metadata-token: $token" "$METADATA/latest/$1"; }
eval "$(metadata user-data)"
region=$(metadata meta-data/placement/region)
role=$(metadata meta-data/iam/security-credentials/adf)
credential() { printf '%s' "$role" | sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p"; }

mkdir "$folder/context"
curl -sSfL "$RELEASE_URL" | tar -xz -C "$folder/context" --strip-components=1
docker build --quiet --tag "$TAG" "$folder/context" >/dev/null

curl -sSf "$ENDPOINT" --aws-sigv4 "aws:amz:$region:dynamodb" \
  --user "$(credential AccessKeyId):$(credential SecretAccessKey)" \
  -H "x-amz-security-token: $(credential Token)" \
  -H 'x-amz-target: DynamoDB_20120810.Query' -H 'content-type: application/x-amz-json-1.0' \
  -d "{\"TableName\": \"adf-config\", \"ConsistentRead\": true, \"KeyConditionExpression\": \"App = :a\",
       \"ExpressionAttributeValues\": {\":a\": {\"S\": \"$APP\"}}}" |
  python3 -c 'import json, sys
for item in json.load(sys.stdin)["Items"]:
    print(item["Name"]["S"] + "=" + item["Value"]["S"])' >"$folder/environment"

docker run --detach --name "$NAME" --env-file "$folder/environment" --publish "$BIND:$PORT:$PORT" "$TAG" >/dev/null
until curl -sf -o /dev/null "http://$BIND:$PORT/"; do sleep 0.02; done
