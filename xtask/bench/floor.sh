#!/bin/sh
# The floor: what Docker itself takes for the same context, already in the right form, posted to its API, and for the
# container's start. Nothing is fetched, checked, unpacked or read. Needs CONTEXT, BIND, PORT, NAME and TAG.
set -eu

docker_api() { curl -sSf --unix-socket /var/run/docker.sock "$@"; }
docker_api -X POST -H 'Content-Type: application/x-tar' -T "$CONTEXT" "http://docker/build?t=$TAG" >/dev/null
docker_api -H 'Content-Type: application/json' "http://docker/containers/create?name=$NAME" -o /dev/null -d "{\"Image\": \"$TAG\",
  \"HostConfig\": {\"PortBindings\": {\"$PORT/tcp\": [{\"HostIp\": \"$BIND\", \"HostPort\": \"$PORT\"}]}}}"
docker_api -X POST "http://docker/containers/$NAME/start"
until curl -sf -o /dev/null "http://$BIND:$PORT/"; do sleep 0.02; done
