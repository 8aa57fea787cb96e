#!/usr/bin/env bash
# Docker with BuildKit, from Ubuntu's own archive, and logs that rotate whatever a container asks for.
set -euo pipefail

# cloud-init works on apt at first boot; two at once fail on the lock.
cloud-init status --wait >/dev/null || true
apt-get update
apt-get install --yes --no-install-recommends docker.io docker-buildx ca-certificates

install -d -m 0755 /etc/docker
cat >/etc/docker/daemon.json <<'JSON'
{
  "features": { "buildkit": true },
  "live-restore": true,
  "log-driver": "local",
  "log-opts": { "max-size": "10m", "max-file": "3" },
  "no-new-privileges": true,
  "userland-proxy": false
}
JSON
systemctl enable docker.service
systemctl restart docker.service
docker version
