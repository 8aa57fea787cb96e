#!/usr/bin/env bash
# An AMI carries nothing of the machine it was made on: no images, no host keys, no machine id, no logs.
set -euo pipefail

docker system prune --all --force --volumes
apt-get clean
rm -rf /var/lib/apt/lists/* /run/adf/*
rm -f /etc/ssh/ssh_host_* /root/.ssh/authorized_keys /home/ubuntu/.ssh/authorized_keys
cloud-init clean --logs --machine-id
journalctl --rotate && journalctl --vacuum-time=1s
sync
